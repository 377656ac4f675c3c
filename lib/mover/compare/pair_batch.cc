#include "lib/mover/compare/pair_batch.h"

#include "lib/base/interrupt.h"
#include "lib/mover/compare/content.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr std::uint64_t k_sparse_from = 4 << 20;
constexpr std::uint64_t k_ask_again_from = 1 << 20;

Difference changed(const char* side, Timestamp seen) {
  return {"changed-while-compared", std::string(side) + ": it changed while it was compared",
          side == std::string_view("target"), seen};
}

// What comes and goes leaves its time in the directory `own`, which is looked at again.
Timestamp seen_in(const OpenDirectory& handle, const Attributes& own) {
  const Attempt<Attributes> now = read_attributes(handle->get(), Freshness::of_server);
  return now && now->mtime != own.mtime ? now->ctime : Timestamp();
}

// One side of a file, opened and looked at again.
struct OpenedFile {
  Descriptor descriptor;
  Attributes attributes;
};

std::optional<OpenedFile> open_side(const TreeReader& reader, const OpenDirectory& handle,
                                    const Attributes& own, const PairedEntry& entry, const Attributes& listed,
                                    const char* side, std::vector<Difference>& failed) {
  Attempt<Descriptor> file = reader.open_file(handle->get(), own.owner, entry.name.c_str(), listed.owner);
  if (!file) {
    failed.push_back(not_compared(side, "cannot open it", file.number(), seen_in(handle, own)));
    return std::nullopt;
  }
  const Attempt<Attributes> attributes = read_attributes(file->get());
  if (!attributes) {
    failed.push_back(not_compared(side, "cannot look at it", attributes.number()));
    return std::nullopt;
  }
  if (attributes->key() != listed.key() || attributes->type != listed.type) {
    failed.push_back(changed(side, seen_in(handle, own)));
    return std::nullopt;
  }
  return OpenedFile{std::move(*file), *attributes};
}

// The size where both sides take less room than they have bytes, and are large enough that asking for their
// holes costs less than reading them; else 0.
std::uint64_t sparse_size(const PairedEntry& entry) {
  const std::uint64_t size = entry.source.size;
  const bool thin = entry.source.blocks * 512 < size && entry.target.blocks * 512 < size;
  return thin && size >= k_sparse_from ? size : 0;
}

// Small files are read within moments of being opened, which asked the server.
Freshness afterwards(const Attributes& file) {
  return file.size >= k_ask_again_from ? Freshness::of_server : Freshness::at_hand;
}

// What was read is of one state of the file only if it still is in that one; it is given as it is now.
void see_afterwards(const char* side, int file, Freshness ask, Attributes& attributes,
                    std::vector<Difference>& failed) {
  const Attempt<Attributes> now = read_attributes(file, ask);
  if (!now) {
    failed.push_back(not_compared(side, "cannot look at it again", now.number()));
  } else if (now->size != attributes.size || now->mtime != attributes.mtime ||
             now->ctime != attributes.ctime) {
    failed.push_back(changed(side, now->ctime));
    attributes = *now;
  }
}

void append(std::vector<Difference>& to, std::vector<Difference> more) {
  for (Difference& difference : more) to.push_back(std::move(difference));
}

}  // namespace

PairBatch::PairBatch(Sides sides, Purpose purpose, Conclusion& conclusion, std::atomic<std::uint64_t>& bytes)
    : sides_(std::move(sides)), purpose_(std::move(purpose)), conclusion_(conclusion), bytes_(bytes) {
  own_.on_both = true;
  own_.source = sides_.source_own;
  own_.target = sides_.target_own;
}

PairedEntry& PairBatch::add(const std::string& name, const Attributes& source, const Attributes& target) {
  PairedEntry& entry = entries_.emplace_back();
  entry.name = name;
  entry.on_both = true;
  entry.source = source;
  entry.target = target;
  return entry;
}

PairedEntry& PairBatch::add_on_one_side(const std::string& name, const std::optional<Attributes>& source) {
  PairedEntry& entry = entries_.emplace_back();
  entry.name = name;
  entry.in_source = source.has_value();
  entry.source = source.value_or(Attributes());
  return entry;
}

PairedEntry& PairBatch::add_difference(const std::string& name, Difference difference,
                                       std::optional<Attributes> source) {
  PairedEntry& entry = add_on_one_side(name, source);
  entry.found.push_back(std::move(difference));
  return entry;
}

PairedEntry& PairBatch::add_failure(const std::string& name, const char* side, int number,
                                    std::optional<Attributes> source) {
  PairedEntry& entry = add_on_one_side(name, source);
  const bool on_target = side == std::string_view("target");
  const Timestamp seen = on_target ? seen_in(sides_.target_handle, sides_.target_own) : Timestamp();
  entry.failed.push_back(not_compared(side, "cannot look at it", number, seen));
  return entry;
}

void PairBatch::run(std::size_t job) {
  if (interrupted()) return;
  if (job == 0) return purpose_.first ? compare_own() : void();
  PairedEntry& entry = entries_[job - 1];
  if (!entry.on_both) return;
  if (entry.source.type != entry.target.type) {
    append(entry.found, attribute_differences(entry.source, entry.target, purpose_.owners));
  } else if (entry.source.type == FileType::regular) {
    compare_file(entry);
  } else if (entry.source.type != FileType::directory) {
    compare_other(entry);
  }
}

void PairBatch::take_xattrs(PairedEntry& entry, const Attempt<ExtendedAttributes>& source,
                            const Attempt<ExtendedAttributes>& target) const {
  if (!source)
    entry.failed.push_back(not_compared("source", "cannot read extended attributes", source.number()));
  if (!target)
    entry.failed.push_back(not_compared("target", "cannot read extended attributes", target.number()));
  if (!source || !target) return;
  append(entry.found, xattr_differences(*source, *target));
  entry.xattrs = digest_of(*target);
}

void PairBatch::compare_own() {
  append(own_.found, attribute_differences(own_.source, own_.target, purpose_.owners));
  if (!purpose_.xattrs) {
    own_.xattrs = digest_of({});
    return;
  }
  take_xattrs(own_, sides_.source.xattrs(sides_.source_handle->get(), own_.source.owner),
              sides_.target.xattrs(sides_.target_handle->get(), own_.target.owner));
}

void PairBatch::compare_file(PairedEntry& entry) const {
  const auto source = open_side(sides_.source, sides_.source_handle, sides_.source_own, entry, entry.source,
                                "source", entry.failed);
  const auto target = open_side(sides_.target, sides_.target_handle, sides_.target_own, entry, entry.target,
                                "target", entry.failed);
  if (!source || !target) return;
  // Opening asked the server again: these are newer than the listing's.
  entry.source = source->attributes;
  entry.target = target->attributes;
  append(entry.found, attribute_differences(entry.source, entry.target, purpose_.owners));
  entry.xattrs = digest_of({});
  if (purpose_.xattrs) {
    take_xattrs(entry, sides_.source.xattrs(source->descriptor.get(), entry.source.owner),
                sides_.target.xattrs(target->descriptor.get(), entry.target.owner));
  }
  if (entry.source.size != entry.target.size) return;
  compare_bytes(entry, source->descriptor.get(), target->descriptor.get());
  const Freshness ask = afterwards(entry.source);
  see_afterwards("source", source->descriptor.get(), ask, entry.source, entry.failed);
  see_afterwards("target", target->descriptor.get(), ask, entry.target, entry.failed);
}

void PairBatch::compare_bytes(PairedEntry& entry, int source, int target) const {
  thread_local std::vector<char> t_buffers;
  // Reading goes by who opened the files, asking for holes by who asks: where a side squashes root, their
  // owner.
  const auto owner = sides_.target.whom(entry.target.owner);
  const Acting asking(owner ? owner : sides_.source.whom(entry.source.owner));
  const ContentComparison content = compare_content(source, target, sparse_size(entry), t_buffers, bytes_);
  if (content.stopped) return;
  if (content.number != 0) {
    entry.failed.push_back(
        not_compared(content.of_target ? "target" : "source", "cannot read it", content.number));
  } else if (content.differs_at) {
    entry.found.push_back({"content", "differs from byte " + std::to_string(*content.differs_at) + " on"});
  }
  entry.content = content.digest;
}

// The listing's attributes may be the client's own memory.
bool PairBatch::look_again(PairedEntry& entry) const {
  const auto one = [&](const TreeReader& reader, const OpenDirectory& handle, const Attributes& own,
                       Attributes& listed, const char* side) {
    const auto now = reader.look_again(handle->get(), own.owner, entry.name.c_str());
    if (!now) {
      entry.failed.push_back(not_compared(side, "cannot look at it", now.number(), seen_in(handle, own)));
    } else if (now->key() != listed.key() || now->type != listed.type) {
      entry.failed.push_back(changed(side, seen_in(handle, own)));
    } else {
      listed = *now;
    }
    return now.ok() && listed.key() == now->key() && listed.type == now->type;
  };
  const bool source = one(sides_.source, sides_.source_handle, sides_.source_own, entry.source, "source");
  const bool target = one(sides_.target, sides_.target_handle, sides_.target_own, entry.target, "target");
  return source && target;
}

// Symlinks, FIFOs, sockets, devices: nothing of them is opened.
void PairBatch::compare_other(PairedEntry& entry) const {
  if (!look_again(entry)) return;
  append(entry.found, attribute_differences(entry.source, entry.target, purpose_.owners));
  const char* name = entry.name.c_str();
  if (entry.source.type == FileType::symlink) {
    const auto source = sides_.source.read_link(sides_.source_handle->get(), sides_.source_own.owner, name);
    const auto target = sides_.target.read_link(sides_.target_handle->get(), sides_.target_own.owner, name);
    if (!source) entry.failed.push_back(not_compared("source", "cannot read the link", source.number()));
    if (!target) entry.failed.push_back(not_compared("target", "cannot read the link", target.number()));
    if (source && target && *source != *target) {
      entry.found.push_back({"link-target", "source " + shown(*source) + ", target " + shown(*target)});
    }
    if (target) entry.link_text = *target;
  }
  entry.xattrs = digest_of({});
  if (!purpose_.xattrs) return;
  take_xattrs(entry,
              sides_.source.xattrs_by_name(sides_.source_handle->get(), sides_.source_own.owner, name,
                                           entry.source.owner),
              sides_.target.xattrs_by_name(sides_.target_handle->get(), sides_.target_own.owner, name,
                                           entry.target.owner));
}

}  // namespace truenas::mover
