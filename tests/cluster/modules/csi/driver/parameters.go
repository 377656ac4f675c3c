package driver

import (
	"fmt"
	"io/fs"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

// permissions reads nfs.datasetPermissions*. Without a mode the dataset's directory is root's alone to write, whatever
// user and group are named.
func permissions(parameters map[string]string) (nas.Properties, error) {
	made := nas.Properties{Mode: 0o755}
	owner := map[string]*int{"nfs.datasetPermissionsUser": &made.UID, "nfs.datasetPermissionsGroup": &made.GID}
	for key, id := range owner {
		if value, named := parameters[key]; named {
			number, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return made, invalid("invalid storage class parameters: invalid %s: %s (must be numeric)", key, value)
			}
			*id = int(number)
		}
	}
	text, named := parameters["nfs.datasetPermissionsMode"]
	if !named || text == "" {
		return nas.Properties{Mode: 0o755}, nil
	}
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || len(text) != 4 || text[0] != '0' {
		return made, invalid("invalid storage class parameters: invalid nfs.datasetPermissionsMode: %s "+
			"(must be octal string e.g. 0777, 0755)", text)
	}
	made.Mode = fs.FileMode(mode)
	return made, nil
}

// squashRule is what the appliance's export gets from the class: a key that is absent stands for root and wheel, a key
// with an empty value for no mapping at all. Empty where the export names somebody the appliance does not know: such a
// share is not exported.
func squashRule(parameters map[string]string) (string, error) {
	if parameters["nfs.rootSquash"] == "false" {
		return "no_root_squash", nil
	}
	user, group := valueOr(parameters, "nfs.mapAllUser", "root"), valueOr(parameters, "nfs.mapAllGroup", "wheel")
	if user == "" && group != "" {
		return "", status.Error(codes.Internal, "creating the NFS share: [EINVAL] sharingnfs_create.mapall_user: "+
			"This field is required when map group is specified")
	}
	if user == "" {
		return "root_squash", nil
	}
	uid, known := accountID(user, map[string]uint64{"root": 0, "nobody": 65534})
	if !known {
		return "", nil
	}
	if group == "" {
		return fmt.Sprintf("all_squash,anonuid=%d", uid), nil
	}
	gid, known := accountID(group, map[string]uint64{"root": 0, "wheel": 0, "nogroup": 65534})
	if !known {
		return "", nil
	}
	return fmt.Sprintf("all_squash,anonuid=%d,anongid=%d", uid, gid), nil
}

func valueOr(parameters map[string]string, key, absent string) string {
	if value, named := parameters[key]; named {
		return value
	}
	return absent
}

func accountID(name string, accounts map[string]uint64) (uint64, bool) {
	if id, known := accounts[name]; known {
		return id, true
	}
	id, err := strconv.ParseUint(name, 10, 32)
	return id, err == nil
}
