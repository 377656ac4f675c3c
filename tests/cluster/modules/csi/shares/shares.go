// Package shares mounts datasets on the node as NFS shares: through a program that takes each request's sender for whom
// the share's rule takes it. It knows datasets by their path only, and no Kubernetes.
package shares

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

// Mount is one mount to be made.
type Mount struct {
	Program  string // nfs-share
	Rule     string // as the program takes it
	Name     string // server:path, as mount tables show it
	Source   string
	Target   string
	ReadOnly bool
}

// Make mounts it, unless it is mounted already. What a killed program left at the target is taken away first. The program
// outlives this process and ends when its target is unmounted.
func Make(wanted Mount) error {
	there, err := mounted(wanted.Target)
	if err != nil {
		return err
	}
	if there {
		var stat unix.Statfs_t
		if err := unix.Statfs(wanted.Target, &stat); !errors.Is(err, unix.ENOTCONN) {
			return err
		}
		log.Printf("nobody serves %s any more: mounting it anew", wanted.Target)
		if err := unix.Unmount(wanted.Target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(wanted.Target, 0o750); err != nil {
		return err
	}
	return start(wanted)
}

// Remove unmounts the target and removes its empty directory, never what was mounted there.
func Remove(target string) error {
	err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmounting %s: %w", target, err)
	}
	// rmdir(2) fails on a directory that is not empty or still mounted: data cannot be reached through it.
	if err := unix.Rmdir(target); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("removing the directory %s: %w", target, err)
	}
	return nil
}

func mounted(target string) (bool, error) {
	targets, err := nas.MountTargets()
	return slices.Contains(targets, target), err
}

func start(wanted Mount) error {
	arguments := []string{"--rule=" + wanted.Rule, "--name=" + wanted.Name}
	if wanted.ReadOnly {
		arguments = append(arguments, "--read-only")
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	program := exec.Command(wanted.Program, append(arguments, wanted.Source, wanted.Target)...)
	program.Stdout = writer
	// A file, no pipe of this process's: the program writes there when this process is gone, too.
	program.Stderr = os.Stderr
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = program.Start()
	writer.Close()
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(reader).ReadString('\n')
	if strings.TrimSpace(line) == "mounted" {
		go func() { log.Printf("the share at %s ended: %v", wanted.Target, program.Wait()) }()
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = program.Wait()
	}
	return fmt.Errorf("%s did not mount it: %v (the driver's log says why)", wanted.Program, err)
}
