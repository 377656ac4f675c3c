#include "lib/mover/compare/gone_tree.h"

#include <array>

#include "lib/base/interrupt.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_named = 100;

void add_amiss(GoneTree& tree, const std::string& path, Difference difference) {
  ++(difference.kind == "missing" ? tree.late : tree.unreadable);
  if (tree.amiss.size() < k_named) tree.amiss.emplace_back(path, std::move(difference));
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array k_units = {"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 10000 && unit + 1 < k_units.size(); ++unit) bytes = (bytes + 500) / 1000;
  return grouped(bytes) + " " + k_units[unit];
}

void add_directory(TreeReader& source, const Directory& directory, const CompareOptions& options,
                   GoneTree& tree, std::vector<Directory>& pending) {
  const Attempt<OpenedDirectory> opened = source.read(directory);
  if (!opened) {
    return add_amiss(tree, directory.path(),
                     not_compared("source", "cannot read the directory", opened.number()));
  }
  for (std::size_t i = 0; i < opened->listing.size(); ++i) {
    const std::string name(opened->listing.name(i));
    const std::string path = directory.place->path_of(name);
    if (options.leave_out.contains(path)) continue;
    ++tree.entries;
    const Attempt<Attributes> attributes = source.attributes(*opened, i);
    if (!attributes) {
      add_amiss(tree, path, not_compared("source", "cannot look at it", attributes.number()));
      continue;
    }
    if (attributes->ctime > options.since->source) {
      add_amiss(tree, path, {"missing", "is not on the target, and was written to the source since"});
    }
    if (attributes->type == FileType::regular) tree.bytes += attributes->size;
    if (attributes->type == FileType::directory)
      pending.push_back(source.below(directory, name, *attributes));
  }
}

}  // namespace

GoneTree walk_gone_tree(TreeReader& source, const Directory& top, const CompareOptions& options) {
  GoneTree tree;
  std::vector<Directory> pending = {top};
  while (!pending.empty() && !interrupted()) {
    const Directory directory = std::move(pending.back());
    pending.pop_back();
    add_directory(source, directory, options, tree, pending);
  }
  return tree;
}

std::string entries_text(std::uint64_t entries) {
  return grouped(entries) + (entries == 1 ? " entry" : " entries");
}

std::string size_text(const GoneTree& tree) {
  return entries_text(tree.entries) + ", " + bytes_text(tree.bytes);
}

}  // namespace truenas::mover
