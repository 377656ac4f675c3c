// Package nas is the storage appliance of the test cluster: directories under one root stand for datasets.
// It must never remove, change or follow anything outside that root. The kernel enforces it: every path is
// opened relative to an os.Root, which no "..", absolute path or symbolic link can leave.
package nas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

const (
	// MarkerName is the file that makes a directory a root of datasets. Without it nothing is opened, so a
	// mistyped path can never become one.
	MarkerName = ".truenas-migrate-test-nas"
	mountTree  = "mnt"
	quotaTree  = "quota"
	shareTree  = "share"
)

var (
	// ErrNotFound is returned for a dataset that does not exist.
	ErrNotFound = errors.New("resource not found")
	// ErrBusy is returned by Delete when a mount lies inside the dataset.
	ErrBusy = errors.New("dataset is busy")
	// ErrNotShared is returned for a dataset that exists and is not exported.
	ErrNotShared = errors.New("dataset is not exported")
	// ErrInvalidName is returned for every name that is not <pool>/<name>[/<name>…] of harmless characters.
	ErrInvalidName = errors.New("invalid volume ID format")
)

var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+$`)

// Appliance is one opened root of datasets.
type Appliance struct {
	path  string
	root  *os.Root
	mutex sync.Mutex
}

// Open opens an existing root that carries the marker. It never creates one.
func Open(path string) (*Appliance, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(real)
	if err != nil {
		return nil, err
	}
	if _, err := root.Lstat(MarkerName); err != nil {
		root.Close()
		return nil, fmt.Errorf("%s is not a root of datasets: %w", real, err)
	}
	for _, tree := range []string{mountTree, quotaTree, shareTree} {
		if err := root.Mkdir(tree, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			root.Close()
			return nil, err
		}
	}
	return &Appliance{path: real, root: root}, nil
}

// CheckName accepts names of the form <pool>/<name>[/<name>…].
func CheckName(dataset string) error {
	if len(dataset) > 200 || !nameRule.MatchString(dataset) {
		return ErrInvalidName
	}
	return nil
}

// HostPath is where the dataset lies on this machine. It is for mounting, not for removing.
func (a *Appliance) HostPath(dataset string) (string, error) {
	if err := a.check(dataset); err != nil {
		return "", err
	}
	return filepath.Join(a.path, mountTree, filepath.FromSlash(dataset)), nil
}

// Exists tells whether the dataset is there. Anything but a directory is an error, never "absent".
func (a *Appliance) Exists(dataset string) (bool, error) {
	err := a.check(dataset)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Properties are what a dataset is made with.
type Properties struct {
	Mode     fs.FileMode // of its directory
	UID, GID int
	Quota    int64  // bytes
	Squash   string // rule of its share, as exports(5) has it; empty: it is not exported
}

// Create makes the dataset with its parents and its share. An existing dataset is left as it is.
func (a *Appliance) Create(dataset string, made Properties) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if exists, err := a.Exists(dataset); err != nil || exists {
		return err
	}
	inside := mountTree + "/" + dataset
	if err := a.root.MkdirAll(filepath.Dir(inside), 0o755); err != nil {
		return err
	}
	if err := a.writeQuota(dataset, made.Quota); err != nil {
		return err
	}
	if err := a.root.WriteFile(noteOf(shareTree, dataset), []byte(made.Squash+"\n"), 0o644); err != nil {
		return err
	}
	if err := a.root.Mkdir(inside, 0o700); err != nil {
		return err
	}
	if err := a.root.Chown(inside, made.UID, made.GID); err != nil {
		return err
	}
	return a.root.Chmod(inside, made.Mode)
}

// Squash is the rule of a dataset's share; ErrNotShared where it has none.
func (a *Appliance) Squash(dataset string) (string, error) {
	if err := a.check(dataset); err != nil {
		return "", err
	}
	data, err := a.root.ReadFile(noteOf(shareTree, dataset))
	rule := strings.TrimSpace(string(data))
	if errors.Is(err, fs.ErrNotExist) || (err == nil && rule == "") {
		return "", fmt.Errorf("dataset %s: %w", dataset, ErrNotShared)
	}
	return rule, err
}

// Delete removes the dataset with everything in it. An absent dataset is no error. A dataset that has a mount
// or another dataset's mount inside is refused: removing would reach through it.
func (a *Appliance) Delete(dataset string) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	exists, err := a.Exists(dataset)
	if err != nil {
		return err
	}
	if exists {
		path, err := a.HostPath(dataset)
		if err != nil {
			return err
		}
		if mounted, err := hasMountBelow(path); err != nil || mounted {
			return errors.Join(err, ErrBusy)
		}
		if err := a.root.RemoveAll(mountTree + "/" + dataset); err != nil {
			return err
		}
	}
	for _, tree := range []string{quotaTree, shareTree} {
		if err := a.root.Remove(noteOf(tree, dataset)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Quota is the size the dataset was made or grown to, in bytes; 0 where none was noted.
func (a *Appliance) Quota(dataset string) (int64, error) {
	data, err := a.root.ReadFile(noteOf(quotaTree, dataset))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
}

// Grow notes a larger quota; a smaller one changes nothing. It returns the quota in force.
func (a *Appliance) Grow(dataset string, quota int64) (int64, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if err := a.check(dataset); err != nil {
		return 0, err
	}
	current, err := a.Quota(dataset)
	if err != nil || quota <= current {
		return current, err
	}
	return quota, a.writeQuota(dataset, quota)
}

func (a *Appliance) writeQuota(dataset string, quota int64) error {
	return a.root.WriteFile(noteOf(quotaTree, dataset), []byte(strconv.FormatInt(quota, 10)+"\n"), 0o644)
}

func (a *Appliance) check(dataset string) error {
	if err := CheckName(dataset); err != nil {
		return err
	}
	info, err := a.root.Lstat(mountTree + "/" + dataset)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dataset %s: %w", dataset, ErrNotFound)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("dataset %s is not a directory", dataset)
	}
	return nil
}

// noteOf is the file of a tree that holds a dataset's note.
func noteOf(tree, dataset string) string {
	return tree + "/" + strings.ReplaceAll(dataset, "/", "@")
}
