package driver

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

// NodeGetInfo implements csi.NodeServer.
func (d *Driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.settings.NodeID, AccessibleTopology: d.shape.Topology()}, nil
}

// NodeGetCapabilities implements csi.NodeServer.
func (d *Driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (
	*csi.NodeGetCapabilitiesResponse, error) {
	answer := &csi.NodeGetCapabilitiesResponse{}
	for _, kind := range d.shape.NodeCapabilities() {
		answer.Capabilities = append(answer.Capabilities, &csi.NodeServiceCapability{
			Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{Type: kind}}})
	}
	return answer, nil
}

// NodeStageVolume only checks: both shapes are mounted when they are published.
func (d *Driver) NodeStageVolume(_ context.Context, request *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	if err := d.shape.CheckPublish(request.GetPublishContext()); err != nil {
		return nil, err
	}
	_, err := d.existing(request.GetVolumeId())
	return &csi.NodeStageVolumeResponse{}, err
}

// NodeUnstageVolume has nothing to undo.
func (d *Driver) NodeUnstageVolume(context.Context, *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	return &csi.NodeUnstageVolumeResponse{}, nil
}

// NodePublishVolume mounts the dataset's directory at the Pod's target path.
func (d *Driver) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (
	*csi.NodePublishVolumeResponse, error) {
	if err := d.shape.CheckPublish(request.GetPublishContext()); err != nil {
		return nil, err
	}
	dataset, err := d.existing(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	source, err := d.appliance.HostPath(dataset)
	if err != nil {
		return nil, asStatus(err, request.GetVolumeId())
	}
	target := request.GetTargetPath()
	if target == "" {
		return nil, invalid("target path missing")
	}
	if err := mount(source, target, request.GetReadonly()); err != nil {
		return nil, status.Errorf(codes.Internal, "mounting %s at %s: %v", source, target, err)
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

// NodeUnpublishVolume unmounts the target and removes its empty directory, never what was mounted there.
func (d *Driver) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (
	*csi.NodeUnpublishVolumeResponse, error) {
	target := request.GetTargetPath()
	if target == "" {
		return nil, invalid("target path missing")
	}
	if err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW); err != nil && !notMounted(err) {
		return nil, status.Errorf(codes.Internal, "unmounting %s: %v", target, err)
	}
	// rmdir(2) fails on a directory that is not empty or still mounted: data cannot be reached through it.
	if err := unix.Rmdir(target); err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, status.Errorf(codes.Internal, "removing the directory %s: %v", target, err)
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// NodeExpandVolume has nothing to do on a node.
func (d *Driver) NodeExpandVolume(context.Context, *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	return &csi.NodeExpandVolumeResponse{}, nil
}

// NodeGetVolumeStats reports the file system below the volume.
func (d *Driver) NodeGetVolumeStats(_ context.Context, request *csi.NodeGetVolumeStatsRequest) (
	*csi.NodeGetVolumeStatsResponse, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(request.GetVolumePath(), &stat); err != nil {
		return nil, status.Errorf(codes.NotFound, "%s: %v", request.GetVolumePath(), err)
	}
	block := stat.Bsize
	return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{
		{Unit: csi.VolumeUsage_BYTES, Total: int64(stat.Blocks) * block, Available: int64(stat.Bavail) * block,
			Used: int64(stat.Blocks-stat.Bfree) * block},
		{Unit: csi.VolumeUsage_INODES, Total: int64(stat.Files), Available: int64(stat.Ffree),
			Used: int64(stat.Files - stat.Ffree)},
	}}, nil
}

func mount(source, target string, readOnly bool) error {
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	targets, err := nas.MountTargets()
	if err != nil || slices.Contains(targets, target) {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if !readOnly {
		return nil
	}
	err = unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
	if err != nil {
		// A writable mount must not stay where a read-only one was asked for.
		err = errors.Join(err, unix.Unmount(target, unix.MNT_DETACH))
	}
	return err
}

func notMounted(err error) bool { return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) }
