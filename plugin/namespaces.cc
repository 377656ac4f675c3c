#include "plugin/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lib/base/text.h"
#include "lib/kube/resource.h"

namespace truenas::plugin {

Result<std::vector<std::string>> choose_namespaces(const kube::Reader& reader, const Arguments& arguments,
                                                   const std::string& command,
                                                   const std::vector<std::string>& defaults) {
  if (arguments.yes("all-namespaces")) return std::vector<std::string>{};
  const bool given = arguments.given("namespace");
  std::vector<std::string> present;
  for (const std::string& ns : given ? arguments.texts("namespace") : defaults) {
    if (ns.empty()) return make_error(Kind::usage, "an empty --namespace; -A means all of them");
    if (std::find(present.begin(), present.end(), ns) != present.end()) continue;
    const auto found = reader.find(kube::k_namespace, "", ns);
    const bool may_not_look = !found.ok() && found.error().kind == Kind::auth;
    if (!found.ok() && !may_not_look) return found.error();
    if (may_not_look || found->has_value()) {
      present.push_back(ns);
    } else if (given) {
      return make_error(Kind::not_found, fmt::format("namespace {} does not exist", printable(ns)),
                        {"kubectl get namespaces"});
    } else {
      std::fprintf(stderr, "note: namespace %s does not exist\n", ns.c_str());
    }
  }
  if (!present.empty()) return present;
  const std::string what = defaults.size() == 1
                               ? fmt::format("namespace {} does not exist", defaults.front())
                               : fmt::format("none of the namespaces {} exists", join(defaults, " and "));
  return make_error(Kind::not_found, what,
                    {fmt::format("kubectl truenas-migrate {} --namespace NAME", command),
                     fmt::format("kubectl truenas-migrate {} -A", command)});
}

}  // namespace truenas::plugin
