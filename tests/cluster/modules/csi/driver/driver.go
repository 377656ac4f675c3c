// Package driver serves the Container Storage Interface over the test cluster's storage appliance, in the shape of
// one of two drivers: Democratic CSI (freenas-api-nfs) or TrueNAS CSI. A shape decides the capabilities and what
// the objects look like that the Kubernetes sidecars make of the answers. It knows no Kubernetes API.
package driver

import (
	"context"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

// minimumQuota is the least refquota that the appliance accepts, in bytes.
const minimumQuota = 1 << 30

// Settings are what an administrator would configure.
type Settings struct {
	Name   string // the driver's name, as in CSIDriver and StorageClass
	NodeID string
	Pool   string // pool of new volumes where the class names none
	Parent string // dataset below which the democratic shape makes its volumes
	Server string // address that the volumes' attributes name
	// ShareProgram mounts a dataset on the node as a share with its squash rule.
	ShareProgram string
}

// Shape is one driver's way of answering.
type Shape interface {
	PluginCapabilities() []*csi.PluginCapability
	ControllerCapabilities() []csi.ControllerServiceCapability_RPC_Type
	NodeCapabilities() []csi.NodeServiceCapability_RPC_Type
	// Topology is what NodeGetInfo reports; nil where the driver has none.
	Topology() *csi.Topology
	// Volume says which dataset a new volume is, with its directory's mode and the answer to be given.
	Volume(request *csi.CreateVolumeRequest) (Volume, error)
	// Dataset finds the dataset of a handle; attributes may be nil.
	Dataset(handle string) (string, error)
	// PublishContext is what attaching answers.
	PublishContext(dataset string) map[string]string
	// CheckPublish refuses a node publication that the real driver would refuse.
	CheckPublish(publishContext map[string]string) error
}

// Volume is a shape's decision about a volume to be made.
type Volume struct {
	Dataset string
	Made    nas.Properties // its quota is the request's
	Answer  *csi.Volume
}

// Driver serves the three CSI services.
type Driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedNodeServer
	settings  Settings
	shape     Shape
	appliance *nas.Appliance
}

// New puts a shape over an appliance.
func New(settings Settings, shape Shape, appliance *nas.Appliance) *Driver {
	return &Driver{settings: settings, shape: shape, appliance: appliance}
}

// GetPluginInfo implements csi.IdentityServer.
func (d *Driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: d.settings.Name, VendorVersion: "test"}, nil
}

// GetPluginCapabilities implements csi.IdentityServer.
func (d *Driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (
	*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{Capabilities: d.shape.PluginCapabilities()}, nil
}

// Probe implements csi.IdentityServer.
func (d *Driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

func pluginService(kind csi.PluginCapability_Service_Type) *csi.PluginCapability {
	return &csi.PluginCapability{Type: &csi.PluginCapability_Service_{
		Service: &csi.PluginCapability_Service{Type: kind}}}
}

func invalid(format string, values ...any) error {
	return status.Errorf(codes.InvalidArgument, format, values...)
}
