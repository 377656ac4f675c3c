package driver

import (
	"maps"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TrueNAS answers as TrueNAS CSI with dataset permissions: the handle is the dataset's path, the volume's attributes
// are all parameters of the class, an attach step is needed, and the pool is a topology key.
type TrueNAS struct{ Settings Settings }

const (
	nodeKey = "topology.truenas.io/node"
	poolKey = "topology.truenas.io/pool"
)

// PluginCapabilities implements Shape.
func (s TrueNAS) PluginCapabilities() []*csi.PluginCapability {
	return []*csi.PluginCapability{
		pluginService(csi.PluginCapability_Service_CONTROLLER_SERVICE),
		pluginService(csi.PluginCapability_Service_VOLUME_ACCESSIBILITY_CONSTRAINTS),
		{Type: &csi.PluginCapability_VolumeExpansion_{VolumeExpansion: &csi.PluginCapability_VolumeExpansion{
			Type: csi.PluginCapability_VolumeExpansion_ONLINE}}},
	}
}

// ControllerCapabilities implements Shape.
func (s TrueNAS) ControllerCapabilities() []csi.ControllerServiceCapability_RPC_Type {
	return []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_PUBLISH_UNPUBLISH_VOLUME,
		csi.ControllerServiceCapability_RPC_EXPAND_VOLUME,
	}
}

// NodeCapabilities implements Shape.
func (s TrueNAS) NodeCapabilities() []csi.NodeServiceCapability_RPC_Type {
	return []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csi.NodeServiceCapability_RPC_EXPAND_VOLUME,
	}
}

// Topology implements Shape.
func (s TrueNAS) Topology() *csi.Topology {
	return &csi.Topology{Segments: map[string]string{nodeKey: s.Settings.NodeID, poolKey: s.Settings.Pool}}
}

// Volume implements Shape.
func (s TrueNAS) Volume(request *csi.CreateVolumeRequest) (Volume, error) {
	parameters := request.GetParameters()
	pool := parameters["pool"]
	if pool == "" {
		pool = s.Settings.Pool
	}
	if pool != s.Settings.Pool {
		return Volume{}, invalid("invalid storage class parameters: pool %s does not exist or is not accessible", pool)
	}
	if protocol, named := parameters["protocol"]; named && strings.ToLower(protocol) != "nfs" {
		return Volume{}, invalid("invalid storage class parameters: invalid protocol: %s (valid: nfs)", protocol)
	}
	made, err := permissions(parameters)
	if err != nil {
		return Volume{}, err
	}
	if made.Squash, err = squashRule(parameters); err != nil {
		return Volume{}, err
	}
	dataset := pool + "/" + strings.NewReplacer(" ", "_", ":", "_", "@", "_", "#", "_").Replace(request.GetName())
	attributes := map[string]string{}
	maps.Copy(attributes, parameters)
	attributes["nfsServer"] = s.Settings.Server
	attributes["nfsPath"] = "/mnt/" + dataset
	return Volume{Dataset: dataset, Made: made, Answer: &csi.Volume{
		VolumeId:           dataset,
		VolumeContext:      attributes,
		AccessibleTopology: []*csi.Topology{{Segments: map[string]string{poolKey: pool}}},
	}}, nil
}

// Dataset implements Shape.
func (s TrueNAS) Dataset(handle string) (string, error) {
	if !strings.Contains(strings.Trim(handle, "/"), "/") {
		return "", status.Errorf(codes.NotFound, "volume not found: invalid volume ID format")
	}
	return handle, nil
}

// PublishContext implements Shape.
func (s TrueNAS) PublishContext(dataset string) map[string]string {
	return map[string]string{"protocol": "nfs", "nfsServer": s.Settings.Server, "nfsPath": "/mnt/" + dataset}
}

// CheckPublish implements Shape.
func (s TrueNAS) CheckPublish(publishContext map[string]string) error {
	if publishContext["protocol"] == "" {
		return invalid("protocol is missing in the publish context")
	}
	return nil
}
