package nas

import (
	"bufio"
	"os"
	"strings"
)

// hasMountBelow tells whether anything is mounted on or below path, in this process's mount namespace.
func hasMountBelow(path string) (bool, error) {
	targets, err := MountTargets()
	if err != nil {
		return false, err
	}
	for _, target := range targets {
		if target == path || strings.HasPrefix(target, path+"/") {
			return true, nil
		}
	}
	return false, nil
}

// MountTargets lists where file systems are mounted, as this process sees it.
func MountTargets() ([]string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var targets []string
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 64*1024), 1024*1024)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 {
			targets = append(targets, unescape.Replace(fields[4]))
		}
	}
	return targets, lines.Err()
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
