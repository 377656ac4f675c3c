// Path arithmetic as Go's filepath has it, so that kubeconfig paths mean the same here as in kubectl (M3).
#include "lib/base/text.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {

std::string clean_path(const std::string& path) {
  if (path.empty()) return ".";
  const bool rooted = path.front() == '/';
  std::vector<std::string> kept;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    const bool goes_up = part == "..";
    if (goes_up && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!goes_up || !rooted) {
      kept.push_back(part);
    }
  }
  const std::string joined = (rooted ? "/" : "") + join(kept, "/");
  return joined.empty() ? "." : joined;
}

std::string absolute_path(const std::string& directory, const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  return clean_path(directory + "/" + path);
}

std::string variable_or_empty(const Environment& environment, const std::string& name) {
  return environment.variable(name).value_or("");
}

}  // namespace truenas::kube
