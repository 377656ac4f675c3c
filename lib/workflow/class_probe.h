#pragma once
// ClassProbe: what a class does to files, found out by trying: a throw-away claim of it (and of the old
// class), the mover's probe on each, and everything removed again, also when it is interrupted. What was
// found is plain data; what follows from it (probe_advice) is pure.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/kube/permission.h"
#include "lib/storage/class_parameters.h"
#include "lib/workflow/mover_run.h"

namespace truenas::workflow {

struct ProbeRequest {
  std::string ns;                                  // where claims and Pods are made
  std::vector<std::string> classes;                // the class first, the old one (if it exists) after it
  std::vector<std::string> uids = {"26", "1000"};  // beside root
  std::string run;                                 // MoverRequest::run
  std::string size = "1Gi";                        // the NAS takes no less
  storage::MoverWishes wishes;
};

struct ClassFinding {
  std::string storage_class, storage_class_uid;
  std::string failed;  // why nothing was found; "" when something was
  std::vector<std::string> hints;
  std::string verdict;      // "root_squash", "all_squash(root)", "no_root_squash", "private to uid 26", …
  std::string text;         // one sentence
  std::string copied_from;  // the class from which fact("copy_by_server") was tried
  std::map<std::string, std::string> facts;  // as volume-mover's result has them
  std::map<std::string, std::int64_t> counts;
  std::string fact(const std::string& key) const;
};

class ClassProbe {
 public:
  ClassProbe(kube::Reader reader, kube::Writer writer, MoverProgram program, Clock& clock)
      : reader_(reader), writer_(std::move(writer)), program_(std::move(program)), clock_(&clock) {}

  // Whether the server would take claims and Pods; Kind::refused with clear text. Changes nothing.
  Result<void> try_it(const ProbeRequest& request);
  // One finding a class, in the request's order; a class that cannot be probed is a finding with `failed`.
  // Kind::interrupted: asked to stop; what could not be cleaned up then was said. What earlier probes that
  // were killed left in the namespace is removed first (the caller holds the probe's lock there).
  Result<std::vector<ClassFinding>> run(const ProbeRequest& request);

  std::function<void(const std::string& line)> on_line;

 private:
  Result<void> make_claims(const ProbeRequest& request);
  Result<void> wait_bound(const ProbeRequest& request, std::size_t index, const json::Value& storage_class);
  ClassFinding probe(const ProbeRequest& request, std::size_t index);
  bool clean_up(const ProbeRequest& request, const std::string& selector);
  bool let_go(const json::Value& claim);
  bool remove_pods_of(const std::string& ns, const std::string& claim);
  bool is_gone(const std::string& what, const Result<void>& removed) const;  // says it when it is not
  void say(const std::string& line) const {
    if (on_line) on_line(line);
  }

  kube::Reader reader_;
  kube::Writer writer_;
  MoverProgram program_;
  Clock* clock_;
};

// What the finding means: which build runs (against what the class's parameters promise; nullopt: no class of
// TrueNAS CSI), fsGroup, server-side copies. One sentence each. Pure.
std::vector<std::string> probe_advice(const ClassFinding& finding, const std::string& fs_group_policy,
                                      const std::optional<storage::SharePromise>& promise);
// The throw-away claim. Pure.
json::Value probe_claim(const ProbeRequest& request, std::size_t index);
std::string probe_claim_name(const ProbeRequest& request, std::size_t index);
// What a probe needs in namespace `ns` and beyond it.
std::vector<kube::Permission> probe_permissions(std::string_view ns);

}  // namespace truenas::workflow
