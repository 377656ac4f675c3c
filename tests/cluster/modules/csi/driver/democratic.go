package driver

import (
	"github.com/container-storage-interface/spec/lib/go/csi"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

// Democratic answers as Democratic CSI's freenas-api-nfs driver: bare volume handles below one parent dataset, staging
// on the node, no publication by the controller, no topology.
type Democratic struct{ Settings Settings }

// PluginCapabilities implements Shape.
func (s Democratic) PluginCapabilities() []*csi.PluginCapability {
	return []*csi.PluginCapability{pluginService(csi.PluginCapability_Service_CONTROLLER_SERVICE)}
}

// ControllerCapabilities implements Shape.
func (s Democratic) ControllerCapabilities() []csi.ControllerServiceCapability_RPC_Type {
	return []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_EXPAND_VOLUME,
	}
}

// NodeCapabilities implements Shape.
func (s Democratic) NodeCapabilities() []csi.NodeServiceCapability_RPC_Type {
	return []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
	}
}

// Topology implements Shape.
func (s Democratic) Topology() *csi.Topology { return nil }

// Volume implements Shape. Whatever the class's parameters say is ignored, as the real driver ignores it: its own settings
// open the dataset to all and map root to root.
func (s Democratic) Volume(request *csi.CreateVolumeRequest) (Volume, error) {
	dataset, err := s.Dataset(request.GetName())
	if err != nil {
		return Volume{}, err
	}
	return Volume{Dataset: dataset, Made: nas.Properties{Mode: 0o777, Squash: "no_root_squash"}, Answer: &csi.Volume{
		VolumeId: request.GetName(),
		VolumeContext: map[string]string{
			"node_attach_driver": "nfs",
			"provisioner_driver": "freenas-api-nfs",
			"server":             s.Settings.Server,
			"share":              "/mnt/" + dataset,
		},
	}}, nil
}

// Dataset implements Shape.
func (s Democratic) Dataset(handle string) (string, error) {
	if handle == "" {
		return "", invalid("volume_id is required")
	}
	return s.Settings.Parent + "/" + handle, nil
}

// PublishContext implements Shape.
func (s Democratic) PublishContext(string) map[string]string { return nil }

// CheckPublish implements Shape.
func (s Democratic) CheckPublish(map[string]string) error { return nil }
