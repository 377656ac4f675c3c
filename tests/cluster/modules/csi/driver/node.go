package driver

import (
	"context"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/shares"
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

// NodePublishVolume mounts the dataset's share at the Pod's target path. What the share is like was decided on the
// appliance when it was made, whichever volume leads to it.
func (d *Driver) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (
	*csi.NodePublishVolumeResponse, error) {
	if err := d.shape.CheckPublish(request.GetPublishContext()); err != nil {
		return nil, err
	}
	dataset, err := d.existing(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	share, err := d.share(dataset)
	if err != nil {
		return nil, asStatus(err, request.GetVolumeId())
	}
	share.Target, share.ReadOnly = request.GetTargetPath(), request.GetReadonly()
	if share.Target == "" {
		return nil, invalid("target path missing")
	}
	if err := shares.Make(share); err != nil {
		return nil, status.Errorf(codes.Internal, "mounting %s at %s: %v", share.Name, share.Target, err)
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
	if err := shares.Remove(target); err != nil {
		return nil, status.Errorf(codes.Internal, "%v", err)
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

// share is what the appliance exports of a dataset, without a target yet.
func (d *Driver) share(dataset string) (shares.Mount, error) {
	source, err := d.appliance.HostPath(dataset)
	if err != nil {
		return shares.Mount{}, err
	}
	rule, err := d.appliance.Squash(dataset)
	return shares.Mount{Program: d.settings.ShareProgram, Rule: rule, Name: d.settings.Server + ":/mnt/" + dataset,
		Source: source}, err
}
