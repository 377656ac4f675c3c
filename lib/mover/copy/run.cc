#include "lib/mover/copy/run.h"

#include "lib/base/interrupt.h"

namespace truenas::mover {
namespace {

bool stops_everything(int number) {
  return number == ENOSPC || number == EDQUOT || number == EROFS;
}

}  // namespace

Run::Run(const CopyOptions& run_options, const Root& source_root, const Root& target_root,
         Reporter& run_reporter, std::size_t open_places)
    : options(run_options),
      source(source_root),
      target(target_root),
      reporter(run_reporter),
      rules{run_options.way, run_options.single_owner, run_options.ctime_counts},
      source_places(open_places),
      target_places(open_places),
      bandwidth(run_options.bandwidth),
      xattrs(run_options.xattrs) {}

std::optional<Owner> Run::reader_of(Owner owner) const {
  if (!options.source_as_owner || owner.uid == 0) return std::nullopt;
  return owner;
}

void fail(Run& run, const std::string& path, std::string_view doing, int number) {
  fail(run, path, errno_kind(number), std::string(doing) + ": " + errno_text(number));
  if (!stops_everything(number)) return;
  {
    const std::lock_guard lock(run.stop_mutex);
    if (run.stop_text.empty())
      run.stop_text = std::string(doing) + " " + shown(path) + ": " + errno_text(number);
  }
  run.work.stop();
}

void fail(Run& run, const std::string& path, std::string kind, std::string text) {
  ++run.counters.errors;
  run.reporter.finding(Finding{Severity::error, std::move(kind), path, std::move(text)});
}

void changed(Run& run, const std::string& path, std::string text) {
  ++run.counters.changed_while_copied;
  if (run.options.final_pass) ++run.counters.errors;
  const Severity severity = run.options.final_pass ? Severity::error : Severity::warning;
  run.reporter.finding(Finding{severity, "changed-while-copied", path, std::move(text)});
}

void perform(Worker& worker, FileBatch batch) {
  Run& run = worker.run;
  const DirectoryPair* opened = nullptr;
  OpenPair open;
  for (FileItem& item : batch) {
    if (interrupted() || run.work.stopped()) return;
    const std::shared_ptr<DirectoryPair> directory = item.directory;
    if (opened != directory.get()) {
      opened = nullptr;
      Attempt<OpenDirectory> source = run.source_places.open(directory->source);
      Attempt<OpenDirectory> target = run.target_places.open(directory->target);
      if (!source || !target) {
        fail(run, item.path(), "cannot open its directory again", source ? target.number() : source.number());
        finish(run, directory);
        continue;
      }
      open = OpenPair{*source, *target};
      opened = directory.get();
    }
    const bool done =
        item.source.links > 1 ? make_linked(worker, item, open) : (make_entry(worker, item, open), true);
    if (done) finish(run, directory);
  }
}

void finish(Run& run, std::shared_ptr<DirectoryPair> pair) {
  while (pair && pair->pending.fetch_sub(1) == 1) {
    if (!run.work.stopped()) settle(run, *pair);
    run.source_places.leave(pair->source);
    run.target_places.leave(pair->target);
    std::shared_ptr<DirectoryPair> above = pair->parent;
    pair = std::move(above);
  }
}

std::optional<FileKey> make_entry(Worker& worker, const FileItem& item, const OpenPair& open) {
  if (item.decision.action == Action::keep) {
    ++worker.run.counters.kept;
    return item.target->key();
  }
  if (item.decision.action == Action::adjust) return adjust_entry(worker.run, item, open);
  switch (item.source.type) {
    case FileType::regular:
      return make_file(worker, item, open);
    case FileType::symlink:
      return make_symlink(worker.run, item, open);
    default:
      return make_special(worker.run, item, open);
  }
}

}  // namespace truenas::mover
