// What the driver makes of parameters: every row of what its sources say, as exact text.

#include "lib/storage/class_parameters.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/storage/class_text.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

Strings parameters(std::string_view text) {
  return class_with(text).parameters;
}

bool has(const std::vector<std::string>& texts, std::string_view part) {
  for (const std::string& text : texts) {
    if (contains(text, part)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("how a share maps users, by the fork and by upstream") {
  struct Row {
    const char *parameters, *fork, *upstream;
  };
  const Row rows[] = {
      {"{nfs.mapAllUser: '', nfs.mapAllGroup: ''}", "root_squash", "all_squash to root:wheel"},
      {"{}", "all_squash to root:wheel", "all_squash to root:wheel"},
      {"{nfs.mapAllUser: coder, nfs.mapAllGroup: users}", "all_squash to coder:users",
       "all_squash to coder:users"},
      {"{nfs.mapAllUser: ''}", "nothing: the NAS refuses a map group without a map user",
       "all_squash to root:wheel"},
      {"{nfs.mapAllUser: coder, nfs.mapAllGroup: ''}", "all_squash to coder", "all_squash to coder:wheel"},
      {"{nfs.rootSquash: 'false'}", "no_root_squash", "no_root_squash"},
      {"{nfs.rootSquash: 'false', nfs.mapAllUser: coder}", "no_root_squash", "no_root_squash"},
      {"{nfs.rootSquash: 'true', nfs.mapAllUser: '', nfs.mapAllGroup: ''}", "root_squash",
       "all_squash to root:wheel"},
      // Keys are case-sensitive.
      {"{nfs.mapalluser: '', nfs.mapallgroup: ''}", "all_squash to root:wheel", "all_squash to root:wheel"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.parameters);
    const SharePromise share = promised_share(parameters(row.parameters));
    CHECK(share.fork == row.fork);
    CHECK(share.upstream == row.upstream);
  }
  CHECK(describe(promised_share(parameters(rows[0].parameters))) ==
        "root_squash from the fork build, all_squash to root:wheel from an upstream one");
}

TEST_CASE("each parameter's difference has its consequence") {
  struct Row {
    const char *key, *live, *wanted, *consequence;
  };
  const Row rows[] = {
      {"protocol", "{protocol: iscsi}", "{protocol: nfs}",
       "new volumes get iSCSI extents, which only one node can use at a time; as wanted they would get NFS "
       "shares"},
      {"protocol", "{}", "{protocol: NFS}", "no effect by itself: new volumes get NFS shares either way"},
      {"protocol", "{protocol: smb}", "{protocol: nfs}",
       "new volumes get nothing: the driver refuses protocol \"smb\"; as wanted they would get NFS shares"},
      {"protocol", "{protocol: nvmeof}", "{protocol: nfs}",
       "new volumes get NVMe-oF namespaces (builds from v1.3 on; older ones refuse it); as wanted they would "
       "get NFS "
       "shares"},
      {"pool", "{}", "{pool: SAS}",
       "new volumes get datasets in the driver's default pool; as wanted they would get datasets in pool "
       "SAS"},
      {"datasetPath", "{datasetPath: k8s/prd}", "{}",
       "new volumes get datasets below k8s/prd in the pool (upstream and newer fork builds; others ignore "
       "the key); as "
       "wanted they would get datasets right below the pool"},
      {"compression", "{compression: lz4}", "{compression: LZ4}",
       "no effect by itself: new volumes get compression LZ4 either way"},
      {"compression", "{}", "{compression: ZSTD}",
       "new volumes get compression LZ4; as wanted they would get compression ZSTD"},
      {"sync", "{sync: disabled}", "{}",
       "new volumes get sync DISABLED; as wanted they would get sync STANDARD"},
      {"nfs.hosts", "{nfs.hosts: 10.0.0.1}", "{}",
       "new volumes get shares exported to 10.0.0.1 only; as wanted they would get shares exported to "
       "everybody"},
      {"nfs.networks", "{nfs.hosts: a, nfs.networks: 10.0.0.0/8}", "{nfs.hosts: a}",
       "new volumes get shares exported to a and 10.0.0.0/8 only; as wanted they would get shares exported "
       "to a only"},
      {"nfs.mountOptions", "{nfs.mountOptions: 'soft,timeo=50'}", "{}",
       "new volumes get mount options soft,timeo=50 (where the class has no mountOptions of its own); as "
       "wanted they "
       "would get mount options hard (where the class has no mountOptions of its own)"},
      {"nfs.mapAllUser", "{}", "{nfs.mapAllUser: '', nfs.mapAllGroup: ''}",
       "new volumes get shares with all_squash to root:wheel; as wanted they would get shares with "
       "root_squash from the "
       "fork build, all_squash to root:wheel from an upstream one"},
      {"nfs.rootSquash", "{nfs.rootSquash: 'false'}", "{nfs.mapAllUser: '', nfs.mapAllGroup: ''}",
       "new volumes get shares with no_root_squash; as wanted they would get shares with root_squash from "
       "the fork "
       "build, all_squash to root:wheel from an upstream one"},
      {"nfs.datasetPermissionsMode", "{}", "{nfs.datasetPermissionsMode: '0777'}",
       "new volumes get a root directory of mode 0755 that only root may write to; as wanted they would get "
       "a root "
       "directory of mode 0777 (fork build only: an upstream one ignores the key and leaves 0755)"},
      {"nfs.datasetPermissionsUser", "{nfs.datasetPermissionsUser: '26'}", "{}",
       "new volumes get a root directory of root:root (without nfs.datasetPermissionsMode its user and group "
       "are not "
       "used); as wanted they would get a root directory of root:root"},
      {"nfs.datasetPermissionsUser", "{nfs.datasetPermissionsMode: '0700', nfs.datasetPermissionsUser: '26'}",
       "{nfs.datasetPermissionsMode: '0700'}",
       "new volumes get a root directory of 26:0 (fork build only: an upstream one ignores the keys); as "
       "wanted they "
       "would get a root directory of root:root"},
      {"zfs.recordsize", "{zfs.recordsize: 8K}", "{}",
       "new datasets get ZFS property recordsize = \"8K\"; as wanted none"},
      {"snapshot.retention", "{snapshot.retention: '7'}", "{snapshot.retention: ''}",
       "the snapshot task of new datasets has retention \"7\"; as wanted \"\""},
      {"encryption.passphrase", "{encryption.passphrase: x}", "{}",
       "no effect: the driver does not read it for NFS volumes"},
      {"volblocksize", "{volblocksize: 16K}", "{}", "no effect: the driver does not read it for NFS volumes"},
      {"iscsi.portal", "{iscsi.portal: x}", "{}", "no effect: the driver does not read it for NFS volumes"},
      {"nfs.mapallUser", "{nfs.mapallUser: x}", "{}",
       "no effect: no build of the driver knows this key, and none rejects it (is nfs.mapAllUser meant?)"},
      {"colour", "{colour: x}", "{}",
       "no effect: no build of the driver knows this key, and none rejects it"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.key);
    CHECK(consequence_of(row.key, parameters(row.live), parameters(row.wanted)) == row.consequence);
  }
}

TEST_CASE("what is wrong with parameters by themselves is said") {
  struct Row {
    const char *parameters, *said;
  };
  const Row rows[] = {
      {"{protocol: iscsi}", "protocol is \"iscsi\", not nfs"},
      {"{compression: BROTLI}", "compression \"BROTLI\" is refused"},
      {"{nfs.mapAllUser: ''}", "both must be empty together"},
      {"{nfs.mapAllUser: '', nfs.mapAllGroup: ''}", "an upstream one takes empty for absent"},
      {"{}", "every user is mapped to root:wheel"},
      {"{nfs.rootSquash: 'false'}", "root in any Pod is root on the share"},
      {"{nfs.rootSquash: 'false', nfs.mapAllUser: x}", "are not used while nfs.rootSquash is false"},
      {"{nfs.rootSquash: 'no'}", "only \"false\" turns it off"},
      {"{nfs.datasetPermissionsMode: '777'}", "four octal digits"},
      {"{nfs.datasetPermissionsMode: '0799'}", "four octal digits"},
      {"{nfs.datasetPermissionsMode: '0777'}", "known to the fork build only"},
      {"{nfs.datasetPermissionsUser: '0'}", "are not used without nfs.datasetPermissionsMode"},
      {"{nfs.datasetPermissionsMode: '0777', nfs.datasetPermissionsUser: root}",
       "refuses what is not a number"},
      {"{datasetPath: /a}", "datasetPath \"/a\" is refused"},
      {"{datasetPath: a/../b}", "is refused by the driver"},
      {"{snapshot.retention: '400'}", "takes 1 to 365"},
      {"{Protocol: nfs}", "knows the parameter \"Protocol\"; it is ignored silently (is protocol meant?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.parameters);
    CHECK(has(traps_of(parameters(row.parameters)), row.said));
  }
  const auto clean =
      traps_of(parameters("{protocol: nfs, nfs.mapAllUser: a, nfs.mapAllGroup: b, datasetPath: a/b, "
                          "compression: gzip-9, snapshot.retention: '365', zfs.atime: 'off'}"));
  CHECK_MESSAGE(clean.empty(), join(clean, "\n"));
}
