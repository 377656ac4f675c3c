// Finding, loading and merging kubeconfig files (K1-K5, M1-M3).
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

struct Search {
  std::vector<std::string> files;
  bool one_explicit = false;  // K1: it must exist
  bool from_variable = false;
};

Search search(const ConnectionFlags& flags, const Environment& environment) {
  if (flags.kubeconfig && !flags.kubeconfig->empty()) return {{*flags.kubeconfig}, true, false};
  const std::string listed = variable_or_empty(environment, "KUBECONFIG");
  if (listed.empty()) {
    // HOME unset leaves a path relative to the working directory, as in client-go.
    const std::string home = variable_or_empty(environment, "HOME");
    return {{home.empty() ? ".kube/config" : clean_path(home + "/.kube/config")}, false, false};
  }
  Search result{{}, false, true};
  for (const std::string& file : split(listed, ':')) {
    if (file.empty() || std::ranges::find(result.files, file) != result.files.end()) continue;
    result.files.push_back(file);
  }
  return result;
}

// M3: relative to the directory of the file that defines the stanza.
void resolve_paths(Stanzas& stanzas, const std::string& directory) {
  const auto resolve = [&](std::string& path) {
    if (!path.empty()) path = absolute_path(directory, path);
  };
  for (auto& [name, cluster] : stanzas.clusters) resolve(cluster.certificate_authority);
  for (auto& [name, user] : stanzas.users) {
    resolve(user.client_certificate);
    resolve(user.client_key);
    resolve(user.token_file);
    if (user.exec && contains(user.exec->command, "/")) resolve(user.exec->command);
  }
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// M1, M2: std::map::merge keeps what is there, so the first file wins wholesale.
void merge_into(Stanzas& merged, Stanzas later) {
  if (merged.current_context.empty()) merged.current_context = later.current_context;
  merged.clusters.merge(later.clusters);
  merged.users.merge(later.users);
  merged.contexts.merge(later.contexts);
}

Error aggregate(const std::vector<Error>& errors) {
  if (errors.size() == 1) return errors.front();
  std::vector<std::string> texts;
  for (const Error& error : errors) texts.push_back(error.what);
  return make_error(Kind::config, fmt::format("[{}]", join(texts, ", ")));
}

}  // namespace

Result<Stanzas> load_stanzas(const ConnectionFlags& flags, const Environment& environment) {
  const Search where = search(flags, environment);
  Stanzas merged;
  std::vector<Error> errors;
  std::vector<std::string> missing;
  bool loaded = false;
  for (const std::string& file : where.files) {
    const std::string path = absolute_path(environment.working_directory, file);
    const std::string source = fmt::format("error loading config file {}", quote(file));
    const Result<std::string> text = environment.read_file(path);
    if (!text && text.error().kind == Kind::interrupted) return text.error();
    if (!text && text.error().kind == Kind::not_found) {
      if (where.one_explicit) {
        return make_error(Kind::config, fmt::format("stat {}: {}", printable(file), text.error().what));
      }
      missing.push_back(file);
      continue;
    }
    Result<Stanzas> stanzas =
        text ? parse_stanzas(*text, source)
             : Result<Stanzas>(make_error(
                   Kind::config, fmt::format("{}: read {}: {}", source, printable(file), text.error().what)));
    if (!stanzas) {
      errors.push_back(stanzas.take_error());
      continue;
    }
    loaded = true;
    resolve_paths(*stanzas, directory_of(path));
    merge_into(merged, std::move(*stanzas));
  }
  if (!errors.empty()) return aggregate(errors);
  if (where.from_variable && !loaded) merged.missing = std::move(missing);
  return merged;
}

}  // namespace truenas::kube
