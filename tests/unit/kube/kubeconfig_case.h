#pragma once
// The table of kubeconfig cases: fixtures/<item>/case.yaml, one list of cases each, beside the files they
// read.
//   - name: what it shows
//     flags: {context: x, as-group: [a, b], insecure-skip-tls-verify: true}    # kubectl's names
//     env: {KUBECONFIG: "a:b"}                     # the whole environment; HOME is the fixture's folder
//     files: {/absolute/path: content}             # files that only this case has
//     expect: {...}                                # render()'s whole answer, or
//     error: exact text                            # with kind: and hints: where they matter
//     kubectl: reason                              # why kubectl is not asked about this case
// ${DIR} stands for the fixture's folder, ${FIX} for the one above it. <ca>, <client-cert>, … stand for the
// files of fixtures/pem.

#include <map>
#include <string>
#include <vector>

#include "lib/json/value.h"
#include "lib/kube/kubeconfig.h"

namespace truenas::kube::test {

struct KubeconfigCase {
  std::string item, name;  // the folder, and what the case is called in it
  std::string directory;   // absolute
  ConnectionFlags flags;
  std::vector<std::string> arguments;  // the same flags for a command line
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  json::Value expected;  // of render(); null when `error` is expected
  std::string error, kind;
  json::Value hints;
  std::string why_not_kubectl;
  bool only_files_and_context = true;  // no flag but --kubeconfig and --context: `config view` knows it all

  std::string title() const { return item + ": " + name; }
};

// Every case of every fixture, in order of the folders' names. Aborts on a fixture that cannot be read.
std::vector<KubeconfigCase> kubeconfig_cases();
Environment environment_of(const KubeconfigCase& entry);
// Everything in the configuration that is not its default, secrets included.
json::Value render(const ClientConfig& config);
// The text of a file of fixtures/.
std::string fixture_file(const std::string& relative_path);
std::string fixtures_directory();

}  // namespace truenas::kube::test
