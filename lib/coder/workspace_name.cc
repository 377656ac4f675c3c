#include "lib/coder/workspace_name.h"

#include <array>

namespace truenas::coder {
namespace {

using Middle = NameShape::Middle;

constexpr std::size_t k_uuid_length = 36;

// Rows with an id come first: "coder-<id>-home" is also a "coder-<owner>-<workspace>-home".
constexpr std::array<NameShape, 8> k_shapes{{
    {"coder-<id>-home", "coder-", "-home", Middle::id},
    {"coder-<id>-workspaces", "coder-", "-workspaces", Middle::id},
    {"coder-<id>", "coder-", "", Middle::id},
    {"coder-pvc-<id>", "coder-pvc-", "", Middle::id},
    {"coder-<id>-…", "coder-", "", Middle::id_and_more},
    {"home-coder-java-<owner>-<workspace>", "home-coder-java-", "", Middle::owner_and_workspace},
    {"coder-<owner>-<workspace>-home", "coder-", "-home", Middle::owner_and_workspace},
    {"<owner>-<owner>-home", "", "-home", Middle::owner_twice},
}};

std::optional<WorkspaceName> with_id(const NameShape& shape, std::string_view middle) {
  if (!starts_with_uuid(middle)) return std::nullopt;
  const std::string_view rest = middle.substr(k_uuid_length);
  const bool more = rest.size() > 1 && rest.front() == '-';
  if (shape.middle == Middle::id ? !rest.empty() : !more) return std::nullopt;
  WorkspaceName name;
  name.shape = shape.text;
  name.id = middle.substr(0, k_uuid_length);
  return name;
}

WorkspaceName with_owner(const NameShape& shape, std::string_view middle) {
  WorkspaceName name;
  name.shape = shape.text;
  name.joined = middle;
  const std::size_t hyphen = middle.find('-');
  const bool clear = hyphen != std::string_view::npos && hyphen > 0 && hyphen + 1 < middle.size() &&
                     middle.find('-', hyphen + 1) == std::string_view::npos;
  if (clear) {
    name.owner = middle.substr(0, hyphen);
    name.workspace = middle.substr(hyphen + 1);
  }
  return name;
}

std::optional<WorkspaceName> with_owner_twice(const NameShape& shape, std::string_view middle) {
  const std::size_t half = middle.size() / 2;
  const bool twice = middle.size() % 2 == 1 && half > 0 && middle[half] == '-' &&
                     middle.substr(0, half) == middle.substr(half + 1);
  if (!twice) return std::nullopt;
  WorkspaceName name;
  name.shape = shape.text;
  name.owner = middle.substr(0, half);
  return name;
}

}  // namespace

std::span<const NameShape> claim_name_shapes() {
  return k_shapes;
}

bool starts_with_uuid(std::string_view text) {
  if (text.size() < k_uuid_length) return false;
  for (std::size_t i = 0; i < k_uuid_length; ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (hyphen ? c != '-' : !hex) return false;
  }
  return true;
}

std::optional<WorkspaceName> read_claim_name(std::string_view name) {
  for (const NameShape& shape : k_shapes) {
    if (!name.starts_with(shape.prefix) || !name.ends_with(shape.suffix)) continue;
    if (name.size() <= shape.prefix.size() + shape.suffix.size()) continue;
    const std::string_view middle =
        name.substr(shape.prefix.size(), name.size() - shape.prefix.size() - shape.suffix.size());
    std::optional<WorkspaceName> read;
    switch (shape.middle) {
      case Middle::id:
      case Middle::id_and_more:
        read = with_id(shape, middle);
        break;
      case Middle::owner_and_workspace:
        read = with_owner(shape, middle);
        break;
      case Middle::owner_twice:
        read = with_owner_twice(shape, middle);
        break;
    }
    if (read) return read;
  }
  return std::nullopt;
}

std::string read_workload_id(std::string_view name) {
  constexpr std::string_view prefix = "coder-";
  if (!name.starts_with(prefix) || !starts_with_uuid(name.substr(prefix.size()))) return "";
  const std::string_view rest = name.substr(prefix.size() + k_uuid_length);
  if (!rest.empty() && rest.front() != '-') return "";
  return std::string(name.substr(prefix.size(), k_uuid_length));
}

}  // namespace truenas::coder
