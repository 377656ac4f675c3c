package driver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

func drivers(t *testing.T) (map[string]*Driver, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "nas")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, nas.MarkerName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	appliance, err := nas.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	settings := Settings{NodeID: "node1", Pool: "SAS", Parent: "SAS/RKE2", Server: "127.0.0.1"}
	return map[string]*Driver{
		"democratic": New(settings, Democratic{settings}, appliance),
		"truenas":    New(settings, TrueNAS{settings}, appliance),
	}, root
}

func creation(name string, parameters map[string]string) *csi.CreateVolumeRequest {
	return &csi.CreateVolumeRequest{Name: name, Parameters: parameters, VolumeCapabilities: []*csi.VolumeCapability{{
		AccessType: &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{}},
		AccessMode: &csi.VolumeCapability_AccessMode{Mode: csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER}}}}
}

func TestHandlesThatLeadElsewhereDeleteNothing(t *testing.T) {
	all, root := drivers(t)
	outside := filepath.Join(filepath.Dir(root), "outside")
	if err := os.WriteFile(outside, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	created, err := all["truenas"].CreateVolume(context.Background(), creation("pvc-1", nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range all {
		for _, handle := range []string{"", ".", "..", "/", "//", "../outside", "../../outside", "../../../outside", outside,
			"SAS/../../outside", "SAS/RKE2/../..", "SAS/", "/SAS/pvc-1", "SAS//pvc-1", "./SAS/pvc-1", "pvc-1/..", "pvc-1/../../pvc-1"} {
			if _, err := one.DeleteVolume(context.Background(), &csi.DeleteVolumeRequest{VolumeId: handle}); err == nil {
				t.Errorf("%s deleted %q", name, handle)
			}
		}
	}
	if data, err := os.ReadFile(outside); err != nil || string(data) != "precious" {
		t.Errorf("the file outside: %q, %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(root, "mnt", created.Volume.VolumeId)); err != nil {
		t.Errorf("the volume: %v", err)
	}
}

func TestDatasetPermissionsDecideTheModeOfTheDirectory(t *testing.T) {
	all, root := drivers(t)
	permissions := map[string]string{"nfs.datasetPermissionsMode": "0777", "nfs.datasetPermissionsUser": "0"}
	for name, expected := range map[string]struct {
		parameters map[string]string
		mode       os.FileMode
	}{"pvc-open": {permissions, 0o777}, "pvc-closed": {nil, 0o755}} {
		answer, err := all["truenas"].CreateVolume(context.Background(), creation(name, expected.parameters))
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(root, "mnt", answer.Volume.VolumeId))
		if err != nil || info.Mode().Perm() != expected.mode {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, expected.mode)
		}
	}
	for _, mode := range []string{"777", "1777", "0888", "rwx", "07777"} {
		_, err := all["truenas"].CreateVolume(context.Background(), creation("pvc-bad",
			map[string]string{"nfs.datasetPermissionsMode": mode}))
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("mode %q: %v, want InvalidArgument", mode, err)
		}
	}
}

func TestTheClassDecidesWhomTheShareSquashes(t *testing.T) {
	type parameters = map[string]string
	for _, row := range []struct {
		parameters parameters
		rule       string
		code       codes.Code
	}{
		{nil, "all_squash,anonuid=0,anongid=0", codes.OK},
		{parameters{"nfs.mapAllUser": "", "nfs.mapAllGroup": ""}, "root_squash", codes.OK},
		{parameters{"nfs.mapAllUser": ""}, "", codes.Internal},
		{parameters{"nfs.mapAllUser": "1000", "nfs.mapAllGroup": "1000"}, "all_squash,anonuid=1000,anongid=1000", codes.OK},
		{parameters{"nfs.mapAllGroup": ""}, "all_squash,anonuid=0", codes.OK},
		{parameters{"nfs.mapAllUser": "stranger"}, "", codes.OK},
		{parameters{"nfs.rootSquash": "false", "nfs.mapAllUser": "1000"}, "no_root_squash", codes.OK},
		{parameters{"nfs.rootSquash": "true"}, "all_squash,anonuid=0,anongid=0", codes.OK},
	} {
		rule, err := squashRule(row.parameters)
		if rule != row.rule || status.Code(err) != row.code {
			t.Errorf("%v: %q, %v, want %q, %v", row.parameters, rule, err, row.rule, row.code)
		}
	}
}

func TestTheShareBelongsToTheDatasetWhicheverVolumeLeadsToIt(t *testing.T) {
	all, _ := drivers(t)
	if _, err := all["democratic"].CreateVolume(context.Background(), creation("pvc-1", nil)); err != nil {
		t.Fatal(err)
	}
	adopted, err := all["truenas"].share("SAS/RKE2/pvc-1")
	if err != nil || adopted.Rule != "no_root_squash" || adopted.Name != "127.0.0.1:/mnt/SAS/RKE2/pvc-1" {
		t.Errorf("%v, %v", adopted, err)
	}
	unknown := creation("pvc-2", map[string]string{"nfs.mapAllUser": "stranger"})
	if _, err := all["truenas"].CreateVolume(context.Background(), unknown); err != nil {
		t.Fatal(err)
	}
	_, err = all["truenas"].NodePublishVolume(context.Background(), &csi.NodePublishVolumeRequest{VolumeId: "SAS/pvc-2",
		TargetPath: filepath.Join(t.TempDir(), "mount"), PublishContext: map[string]string{"protocol": "nfs"}})
	if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "access denied by server") {
		t.Errorf("mounting what is not exported: %v", err)
	}
}

func TestAnAdoptedDatasetIsPublishedUnderItsPath(t *testing.T) {
	all, _ := drivers(t)
	made, err := all["democratic"].CreateVolume(context.Background(), creation("pvc-1", nil))
	if err != nil || made.Volume.VolumeContext["share"] != "/mnt/SAS/RKE2/pvc-1" || made.Volume.VolumeId != "pvc-1" {
		t.Fatalf("%v, %v", made, err)
	}
	attach := func(handle string) (*csi.ControllerPublishVolumeResponse, error) {
		return all["truenas"].ControllerPublishVolume(context.Background(),
			&csi.ControllerPublishVolumeRequest{VolumeId: handle, NodeId: "node1"})
	}
	answer, err := attach("SAS/RKE2/pvc-1")
	if err != nil || answer.PublishContext["nfsPath"] != "/mnt/SAS/RKE2/pvc-1" {
		t.Errorf("%v, %v", answer, err)
	}
	for _, handle := range []string{"pvc-1", "SAS/pvc-1", "/SAS/RKE2/pvc-1"} {
		if _, err := attach(handle); status.Code(err) != codes.NotFound {
			t.Errorf("attaching %s: %v, want NotFound", handle, err)
		}
	}
}

func TestUnpublishingNeverRemovesFiles(t *testing.T) {
	all, _ := drivers(t)
	target := filepath.Join(t.TempDir(), "mount")
	if err := os.MkdirAll(filepath.Join(target, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := all["truenas"].NodeUnpublishVolume(context.Background(), &csi.NodeUnpublishVolumeRequest{VolumeId: "SAS/x",
		TargetPath: target}); err == nil {
		t.Error("removed a directory that holds data")
	}
	if _, err := os.Stat(filepath.Join(target, "data")); err != nil {
		t.Error(err)
	}
}
