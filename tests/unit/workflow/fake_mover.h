#pragma once
// A mover's Pod on the fake cluster: it really copies between the datasets of the fake NAS, and ends with a
// result line as the program does.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/text.h"
#include "lib/json/value.h"
#include "lib/kube/resource.h"
#include "tests/fakes/fake_cluster.h"

namespace truenas::workflow {

class FakeMover {
 public:
  explicit FakeMover(fakes::FakeCluster& cluster) : cluster_(cluster) {}

  // How the Pod ends; nothing while it runs.
  std::optional<fakes::PodEnd> move(const json::Value& pod) {
    std::vector<std::string> words;
    for (const json::Value& word : pod.items_at("/spec/containers/0/args")) words.push_back(word.text());
    if (words.empty()) return fakes::PodEnd{};
    const std::string mode = words[0] == "copy" && contains(join(words, " "), "--final") ? "final" : words[0];
    Moving& moving = moving_[kube::identity_of(pod).uid];
    if (moving.asked++ == 0) begin(pod, mode, join(words, " "), moving);
    if (still_moving && still_moving(mode, moving.asked)) return std::nullopt;
    const int exit = moving.exit;
    modes.push_back(mode);
    calls.push_back(join(words, " "));
    if (while_moving) while_moving(mode);
    const json::Value result = json::Value::object(
        {{"type", "result"},
         {"mode", words[0]},
         {"exit", exit},
         {"text", exit == 0 ? "done" : "not as it should be"},
         {"facts", json::Value::object({{"way", "chown"},
                                        {"manifest", "m"},
                                        {"top", moving.top},
                                        {"top_names", moving.names},
                                        {"newest_change_source", "1000.000000001"},
                                        {"newest_change_target", "2000.000000002"},
                                        {"since.1", "changed since"}})},
         {"counts", json::Value::object({{"bytes", 1000},
                                         {"bytes_allocated", 500},
                                         {"entries", moving.entries},
                                         {"changed_since", 1},
                                         {"differing", mostly_removed + (since_exit == 3 ? 1 : 0)},
                                         {"mostly_removed", mostly_removed},
                                         {"changed_since_bytes", 2048}})}});
    return fakes::PodEnd{exit, json::write(result), ""};
  }

  std::vector<std::string> calls;                             // their arguments
  std::vector<std::string> modes;                             // of the movers that ran
  std::function<void(const std::string& mode)> while_moving;  // called at the end of each
  // Asked once a second while one runs, with how often before; what it reads it has read at the first time.
  std::function<bool(const std::string& mode, int asked)> still_moving;
  int scan_exit = 0;
  int since_exit = 0;  // of a comparison once the home is in use again
  int mostly_removed =
      0;  // … and what it does not believe to be removed by its user, unless that is accepted

 private:
  fakes::Dataset* mounted(const json::Value& pod, std::string_view path) {
    for (const json::Value& mount : pod.items_at("/spec/containers/0/volumeMounts")) {
      if (mount.text_at("/mountPath") != path) continue;
      for (const json::Value& volume : pod.items_at("/spec/volumes")) {
        if (volume.text_at("/name") != mount.text_at("/name")) continue;
        return cluster_.storage.dataset_of(kube::identity_of(pod).ns,
                                           volume.text_at("/persistentVolumeClaim/claimName"));
      }
    }
    return nullptr;
  }

  struct Moving {
    int asked = 0, exit = 0;
    std::int64_t entries = 0;
    std::string top, names;  // what scan says of the root
  };
  void begin(const json::Value& pod, const std::string& mode, const std::string& words, Moving& moving) {
    fakes::Dataset *source = mounted(pod, "/source"), *target = mounted(pod, "/target");
    if (mode == "scan") moving.exit = scan_exit;
    if (mode == "copy" || mode == "final") target->files = source->files;
    if (mode == "compare" && target->files != source->files) moving.exit = 3;
    // In use again: whatever differs was done by its user, unless a test says otherwise.
    if (mode == "compare" && contains(words, "--since=")) {
      moving.exit = since_exit;
      if (mostly_removed != 0 && !contains(words, "--accept-removed")) moving.exit = 3;
    }
    if (source != nullptr) {
      for (const auto& [name, content] : source->files) {
        moving.names += name + "/";
        moving.top += name + "/" + content + "/";
      }
      moving.top = sha256_hex(moving.top), moving.names = sha256_hex(moving.names);
    }
    // compare counts the root too.
    if (source != nullptr) {
      moving.entries = static_cast<std::int64_t>(source->files.size()) + (mode == "compare" ? 1 : 0);
    }
  }

  fakes::FakeCluster& cluster_;
  std::map<std::string, Moving> moving_;  // by the Pod's uid
};

}  // namespace truenas::workflow
