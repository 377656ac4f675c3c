package nas

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T) (*Appliance, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "nas")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, MarkerName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	appliance, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return appliance, root
}

// canary puts a file outside the root and returns a check that it is still there, unchanged.
func canary(t *testing.T, root string) (string, func()) {
	t.Helper()
	outside := filepath.Join(filepath.Dir(root), "outside")
	file := filepath.Join(outside, "precious")
	if err := os.MkdirAll(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	return outside, func() {
		t.Helper()
		if data, err := os.ReadFile(file); err != nil || string(data) != "precious" {
			t.Fatalf("the file outside the root was touched: %q %v", data, err)
		}
	}
}

func TestOpenRefusesADirectoryWithoutTheMarker(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil {
		t.Fatal("opened a directory that is no root of datasets")
	}
}

func TestNamesThatLeaveTheRootAreRefused(t *testing.T) {
	appliance, root := open(t)
	_, unharmed := canary(t, root)
	for _, name := range []string{"", "/", ".", "..", "SAS", "SAS/", "/SAS/x", "SAS/..", "SAS/../..", "../outside", "SAS//x",
		"SAS/./x", "SAS/x/../../../../outside", "SAS/.hidden", "SAS/x y", "SAS/x\x00y", "SAS/x\n", "-rf/x"} {
		if err := appliance.Delete(name); !errors.Is(err, ErrInvalidName) {
			t.Errorf("Delete(%q) = %v, want ErrInvalidName", name, err)
		}
		if err := appliance.Create(name, Properties{Mode: 0o755, Quota: 1}); !errors.Is(err, ErrInvalidName) {
			t.Errorf("Create(%q) = %v, want ErrInvalidName", name, err)
		}
	}
	unharmed()
}

func TestDeleteRemovesTheDatasetAndNothingElse(t *testing.T) {
	appliance, root := open(t)
	outside, unharmed := canary(t, root)
	for _, name := range []string{"SAS/a", "SAS/ab", "SAS/RKE2/a"} {
		if err := appliance.Create(name, Properties{Mode: 0o777, Quota: 1 << 30}); err != nil {
			t.Fatal(err)
		}
	}
	inside := filepath.Join(root, "mnt/SAS/a")
	for name, link := range map[string]string{"folder": outside, "file": filepath.Join(outside, "precious"),
		"relative": "../../../../outside", "root": "/"} {
		if err := os.Symlink(link, filepath.Join(inside, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(outside, "precious"), filepath.Join(inside, "hard")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(inside, "deep/er"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := appliance.Delete("SAS/a"); err != nil {
		t.Fatal(err)
	}
	unharmed()
	for name, want := range map[string]bool{"SAS/a": false, "SAS/ab": true, "SAS/RKE2/a": true} {
		if got, err := appliance.Exists(name); err != nil || got != want {
			t.Errorf("Exists(%s) = %v, %v, want %v", name, got, err, want)
		}
	}
	if err := appliance.Delete("SAS/a"); err != nil {
		t.Errorf("deleting an absent dataset: %v", err)
	}
}

func TestALinkInTheTreeIsNeverFollowed(t *testing.T) {
	appliance, root := open(t)
	outside, unharmed := canary(t, root)
	if err := appliance.Create("SAS/a", Properties{Mode: 0o755, Quota: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "mnt/SAS/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(root, "mnt/pool")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SAS/link", "SAS/link/precious", "pool/outside"} {
		if err := appliance.Delete(name); err == nil {
			t.Errorf("Delete(%s) went through a link", name)
		}
	}
	unharmed()
}

func TestCreateSetsTheModeWhateverTheUmaskAndKeepsAnExistingDataset(t *testing.T) {
	appliance, root := open(t)
	if err := appliance.Create("SAS/a", Properties{Mode: 0o777, Quota: 5}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(root, "mnt/SAS/a"))
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(root, "mnt/SAS/a/data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := appliance.Create("SAS/a", Properties{Mode: 0o755, Quota: 9}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(root, "mnt/SAS/a/data")); err != nil || string(data) != "x" {
		t.Fatal("creating an existing dataset changed it")
	}
	if quota, _ := appliance.Quota("SAS/a"); quota != 5 {
		t.Errorf("quota %d, want 5", quota)
	}
	if quota, err := appliance.Grow("SAS/a", 3); err != nil || quota != 5 {
		t.Errorf("shrunk to %d, %v", quota, err)
	}
	if quota, err := appliance.Grow("SAS/a", 7); err != nil || quota != 7 {
		t.Errorf("grown to %d, %v", quota, err)
	}
}
