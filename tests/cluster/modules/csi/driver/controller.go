package driver

import (
	"context"
	"errors"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

// ControllerGetCapabilities implements csi.ControllerServer.
func (d *Driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (
	*csi.ControllerGetCapabilitiesResponse, error) {
	answer := &csi.ControllerGetCapabilitiesResponse{}
	for _, kind := range d.shape.ControllerCapabilities() {
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: kind}}})
	}
	return answer, nil
}

// CreateVolume makes the dataset; asked again for the same name it answers the same.
func (d *Driver) CreateVolume(_ context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if request.GetVolumeContentSource() != nil {
		return nil, invalid("this driver makes no clones")
	}
	if err := checkCapabilities(request.GetVolumeCapabilities()); err != nil {
		return nil, err
	}
	volume, err := d.shape.Volume(request)
	if err != nil {
		return nil, err
	}
	volume.Made.Quota = max(request.GetCapacityRange().GetRequiredBytes(), minimumQuota)
	if err := d.appliance.Create(volume.Dataset, volume.Made); err != nil {
		return nil, asStatus(err, volume.Dataset)
	}
	volume.Answer.CapacityBytes = volume.Made.Quota
	return &csi.CreateVolumeResponse{Volume: volume.Answer}, nil
}

// DeleteVolume really removes the dataset with everything in it, as both real drivers do. It asks nobody who made it.
func (d *Driver) DeleteVolume(_ context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	dataset, err := d.shape.Dataset(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	if err := d.appliance.Delete(dataset); err != nil {
		return nil, asStatus(err, request.GetVolumeId())
	}
	return &csi.DeleteVolumeResponse{}, nil
}

// ControllerPublishVolume answers where the volume lies; the dataset must exist.
func (d *Driver) ControllerPublishVolume(_ context.Context, request *csi.ControllerPublishVolumeRequest) (
	*csi.ControllerPublishVolumeResponse, error) {
	if request.GetNodeId() != d.settings.NodeID {
		return nil, status.Errorf(codes.NotFound, "node %s not found", request.GetNodeId())
	}
	dataset, err := d.existing(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	return &csi.ControllerPublishVolumeResponse{PublishContext: d.shape.PublishContext(dataset)}, nil
}

// ControllerUnpublishVolume has nothing to undo.
func (d *Driver) ControllerUnpublishVolume(context.Context, *csi.ControllerUnpublishVolumeRequest) (
	*csi.ControllerUnpublishVolumeResponse, error) {
	return &csi.ControllerUnpublishVolumeResponse{}, nil
}

// ControllerExpandVolume raises the quota; a smaller request leaves it.
func (d *Driver) ControllerExpandVolume(_ context.Context, request *csi.ControllerExpandVolumeRequest) (
	*csi.ControllerExpandVolumeResponse, error) {
	dataset, err := d.existing(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	size, err := d.appliance.Grow(dataset, request.GetCapacityRange().GetRequiredBytes())
	if err != nil {
		return nil, asStatus(err, request.GetVolumeId())
	}
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: size}, nil
}

// ValidateVolumeCapabilities confirms what CreateVolume accepts.
func (d *Driver) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (
	*csi.ValidateVolumeCapabilitiesResponse, error) {
	if _, err := d.existing(request.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := checkCapabilities(request.GetVolumeCapabilities()); err != nil {
		return &csi.ValidateVolumeCapabilitiesResponse{Message: err.Error()}, nil
	}
	return &csi.ValidateVolumeCapabilitiesResponse{
		Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: request.GetVolumeCapabilities()}}, nil
}

// existing finds the dataset of a handle and fails with NotFound, in the real driver's words, where there is none.
func (d *Driver) existing(handle string) (string, error) {
	dataset, err := d.shape.Dataset(handle)
	if err != nil {
		return "", err
	}
	exists, err := d.appliance.Exists(dataset)
	if err != nil {
		return "", asStatus(err, handle)
	}
	if !exists {
		return "", status.Errorf(codes.NotFound, "volume %s not found: dataset %s: truenas: resource not found", handle, dataset)
	}
	return dataset, nil
}

func checkCapabilities(capabilities []*csi.VolumeCapability) error {
	if len(capabilities) == 0 {
		return invalid("volume capabilities missing")
	}
	for _, capability := range capabilities {
		if capability.GetBlock() != nil {
			return invalid("block volume mode is not supported for NFS protocol")
		}
		if mode := capability.GetAccessMode().GetMode(); mode == csi.VolumeCapability_AccessMode_SINGLE_NODE_MULTI_WRITER {
			return invalid("invalid volume capabilities: access mode %v not supported", mode)
		}
	}
	return nil
}

func asStatus(err error, handle string) error {
	switch {
	case errors.Is(err, nas.ErrInvalidName):
		return status.Errorf(codes.NotFound, "volume not found: %v", err)
	case errors.Is(err, nas.ErrNotFound):
		return status.Errorf(codes.NotFound, "volume %s not found: %v", handle, err)
	case errors.Is(err, nas.ErrNotShared):
		return status.Errorf(codes.Internal, "mount.nfs: access denied by server while mounting %s: %v", handle, err)
	case errors.Is(err, nas.ErrBusy):
		return status.Errorf(codes.FailedPrecondition, "volume %s: %v", handle, err)
	default:
		return status.Errorf(codes.Internal, "volume %s: %v", handle, err)
	}
}
