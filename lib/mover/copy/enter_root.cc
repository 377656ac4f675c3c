// The beginning: both roots, the guards, and the first merge.

#include <sys/stat.h>
#include <unistd.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/again.h"
#include "lib/mover/copy/guard.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

Result<Listing> list_root(const Root& root, const OpenDirectory& directory, std::optional<Owner> reader,
                          Freshness freshness) {
  const Acting acting(reader);
  TM_TRY(acting.taken());
  Attempt<Listing> listing = Listing::read(directory->get(), freshness);
  if (!listing) return system_error(listing.number(), "cannot list", root.path());
  return std::move(*listing);
}

Result<OpenDirectory> open_again(const Root& root, std::optional<Owner> reader) {
  const Acting acting(reader);
  TM_TRY(acting.taken());
  Attempt<Descriptor> descriptor = open_directory(root.descriptor(), ".");
  if (!descriptor) return system_error(descriptor.number(), "cannot open", root.path());
  return OpenDirectory(std::make_shared<const Descriptor>(std::move(*descriptor)));
}

}  // namespace

Result<void> enter_root(Worker& worker) {
  Run& run = worker.run;
  const Attributes& from = run.source.attributes();
  const Attributes& to = run.target.attributes();
  const auto pair = std::make_shared<DirectoryPair>();
  pair->wanted = from;
  pair->wanted.owner = run.options.owners.apply(from.owner);
  pair->source_owner = from.owner;
  pair->found = to;
  pair->owner = to.owner;
  pair->mode = to.mode;
  pair->xattrs = xattrs_suspect(pair->wanted, pair->found, run.rules, run.options.again.contains("."));
  const std::optional<Owner> reader = run.reader_of(from.owner);
  const std::optional<Owner> keeper = keeper_of(run.rules.way, to.owner);
  TM_TRY(check_root(to, run.options));
  TM_TRY_ASSIGN(const OpenDirectory source, open_again(run.source, reader));
  TM_TRY_ASSIGN(const OpenDirectory target, open_again(run.target, keeper));
  TM_TRY_ASSIGN(const Listing source_names, list_root(run.source, source, reader, run.source_freshness()));
  TM_TRY_ASSIGN(const Listing target_names, list_root(run.target, target, keeper, Freshness::at_hand));
  TM_TRY(check_contents(source_names, target_names, run.options));
  pair->source = std::make_shared<Place>(source, from.key(), reader);
  pair->target = std::make_shared<Place>(target, to.key(), keeper);
  TM_TRY(prove_apart(run, *pair, OpenPair{source, target}));
  run.again_groups = groups_asked_for(run, source);
  run.root = pair;
  merge(worker, pair, OpenPair{source, target}, source_names, &target_names);
  run.work.add_children(pair);
  finish(run, pair);
  return {};
}

void close_root(Run& run) {
  if (!run.root || run.root->mode == run.root->found.mode) return;
  const int target = run.target.descriptor();
  const Acting keeper(keeper_of(run.rules.way, run.root->owner));
  if (!keeper.taken()) return fail(run, ".", "identity", keeper.taken().error().what);
  const Attempt<Attributes> now = read_attributes(target, Freshness::of_server);
  if (now.ok() && now->mode == run.root->wanted.mode) return;
  if (::fchmod(target, run.root->found.mode) != 0) fail(run, ".", "cannot set the mode", errno);
}

}  // namespace truenas::mover
