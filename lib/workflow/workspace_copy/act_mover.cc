// What the mover does: counts the home, tries the new volume, copies, compares.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/storage/mover_end.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"
#include "lib/workflow/workspace_copy/steps.h"

namespace truenas::workflow {
namespace {

using engine::Step;
using storage::MoverEnd;
using State = WorkspaceCopy::State;
using Line = std::function<void(const std::string&)>;

constexpr const char* k_source = "/source";
constexpr const char* k_target = "/target";
constexpr std::size_t k_named = 5;  // of what failed

class Mover {
 public:
  Mover(State& state, kube::Writer& writer, const Line& on_line)
      : state_(state), run_(state.tools.reader, writer, state.tools.program, state.tools.clock) {
    run_.on_line = on_line;
    run_.on_look = [&state] { look_at_users(state); };
    run_.changes = state.tools.view.changes();
    run_.look_every = state.tools.look_every;
  }
  Mover& source() {
    request_.mounts.push_back({state_.options.claim, k_source, true});
    return *this;
  }
  Mover& target(bool read_only) {
    request_.mounts.push_back({temporary_name(*state_.world), k_target, read_only});
    return *this;
  }
  // Every run has a name of its own: the result of an earlier one is never taken for this one's.
  Result<MoverEnd> run(std::vector<std::string> arguments) {
    request_.ns = state_.options.ns;
    request_.run = fmt::format("{}-{}", state_.tools.run, ++state_.movers);
    request_.arguments = std::move(arguments);
    limit_workers();
    request_.wishes = state_.tools.wishes;
    TM_TRY_ASSIGN(MoverEnd end, run_.run(request_));
    if (end.exit == 143) return make_error(Kind::interrupted, "interrupted");
    return end;
  }

 private:
  // By itself it takes as many as here (lib/mover/copy.h, scan.h, compare.h).
  void limit_workers() {
    const std::string& mode = request_.arguments.front();
    const unsigned own = mode == "copy" ? 32 : 8;
    if (state_.tools.mover_workers == 0 || state_.tools.mover_workers >= own || mode == "probe") return;
    request_.arguments.insert(request_.arguments.begin() + 1,
                              fmt::format("--workers={}", state_.tools.mover_workers));
  }

  State& state_;
  MoverRun run_;
  MoverRequest request_;
};

// The first paths that it is about, for people.
std::string with_paths(const MoverEnd& end) {
  std::vector<std::string> named;
  for (const json::Value& finding : end.result.items_at("/first")) {
    if (named.size() == k_named) break;
    named.push_back(fmt::format("{}: {}", quote(finding.text_at("/path")), finding.text_at("/text")));
  }
  return named.empty() ? end.text : fmt::format("{} ({})", end.text, join(named, "; "));
}

Error failed(const State& state, const char* what, const MoverEnd& end, Kind kind = Kind::stopped) {
  return make_error(kind, fmt::format("{} claim {}: {}", what, state.options.full_name(), with_paths(end)),
                    {"it is safe to run the same command again"});
}

// How owners are set, which become others, and what is left behind: the same for scan, copy and compare.
std::vector<std::string> carry_flags(const State& state, const std::string& way, const std::string& single) {
  std::vector<std::string> flags = {"--owners=" + way};
  if (!single.empty()) flags.push_back("--single-owner=" + single);
  for (const std::string& rule : state.options.owner_map) flags.push_back("--map-owner=" + rule);
  for (const std::string& path : state.options.leave_out) flags.push_back("--leave-out=" + path);
  return flags;
}

// A source whose server squashes root must be read as each file's owner.
bool source_squashes(const State& state) {
  const std::string& name = state.world->source.storage_class;
  const auto storage_class = state.tools.reader.find(kube::k_storage_class, "", name);
  if (!storage_class.ok() || !*storage_class) return false;
  const RecordedProbe probe = read_recorded_probe(state.tools.reader, state.options.class_journal_ns, name,
                                                  kube::identity_of(**storage_class).uid, state.tools.clock);
  return probe.newest && probe.newest->squashes_root();
}

// The same for copying and comparing.
std::vector<std::string> carrying(const State& state) {
  std::vector<std::string> flags = carry_flags(state, state.memory.way, state.memory.single_owner);
  if (source_squashes(state)) flags.emplace_back("--source-as-owner");
  return flags;
}

// The target holds nothing of anybody's before it is served, whatever it is called: it may be replaced.
std::vector<std::string> between(std::vector<std::string> carrying, const std::string& mode,
                                 std::vector<std::string> more) {
  std::vector<std::string> words = {mode};
  words.insert(words.end(), carrying.begin(), carrying.end());
  words.insert(words.end(), more.begin(), more.end());
  for (const char* word : {"--expect-source-mount", "--expect-target-mount", k_source, k_target}) {
    words.emplace_back(word);
  }
  return words;
}

std::string carried_otherwise(const WorkspaceCopyOptions& options) {
  std::string text;
  if (!options.owner_map.empty()) text += "; owners mapped: " + join(options.owner_map, ", ");
  if (!options.leave_out.empty()) text += "; left out: " + join(options.leave_out, ", ");
  return text;
}

// A dataset that is not mounted is an empty directory, and a mount like any other.
bool may_be_empty(const State& state) {
  return state.memory.entries == 0 || state.options.accepted.contains(k_empty_home);
}

Error lost_its_files(const State& state) {
  return make_error(Kind::stopped,
                    fmt::format("[{}] claim {} had {} entries when they were counted, and is empty now",
                                k_empty_home, state.options.full_name(), state.memory.entries),
                    {"look whether its dataset is mounted on the NAS",
                     fmt::format("if its user has emptied it: --accept={}", k_empty_home)});
}

Result<void> scan(State& state, kube::Writer& writer, const Line& on_line) {
  Mover mover(state, writer, on_line);
  TM_TRY_ASSIGN(const MoverEnd end, mover.source().run({"scan", "--expect-source-mount", k_source}));
  if (end.exit != 0) return failed(state, "cannot count", end);
  state.memory.used_bytes =
      std::max(end.result.integer_at("/counts/bytes_allocated"), end.result.integer_at("/counts/bytes"));
  return {};
}

// Compressed datasets hold more than they allocate, so the files' sizes are what must fit.
Result<void> check(State& state, kube::Writer& writer, const Line& on_line) {
  SwapMemory& memory = state.memory;
  Mover prober(state, writer, on_line);
  TM_TRY_ASSIGN(const MoverEnd probed,
                prober.target(false).run({"probe", "--uid=1000", "--expect-target-mount", k_target}));
  const std::string way = probed.result.text_at("/facts/way");
  if (probed.exit != 0 || way.empty()) {
    memory.unfit =
        fmt::format("files cannot be written on a volume of {}: {}", state.options.to_class, probed.text);
    memory.unfit_hints = {"kubectl truenas-migrate storageclass --probe"};
    return {};
  }
  const std::string single = way == "single-owner" ? probed.result.text_at("/facts/owner") : "";
  std::vector<std::string> words = {"scan"};
  for (std::string& flag : carry_flags(state, way, single)) words.push_back(std::move(flag));
  words.emplace_back("--expect-source-mount");
  words.emplace_back(k_source);
  Mover scanner(state, writer, on_line);
  TM_TRY_ASSIGN(const MoverEnd end, scanner.source().run(std::move(words)));
  if (end.exit == 4) {
    memory.unfit = with_paths(end);
    memory.unfit_hints = {"let them have another owner on the new volume: --map-owner=0:0=1000:1000",
                          "or leave them behind: --leave-out=PATH"};
    return {};
  }
  if (end.exit != 0) return failed(state, "cannot look at", end);
  memory.entries = end.result.integer_at("/counts/entries");
  memory.single_owner = single;
  memory.way = way;
  return {};
}

Result<void> copy_warm(State& state, kube::Writer& writer, const Line& on_line) {
  const Milliseconds since = state.tools.clock.steady();
  Mover mover(state, writer, on_line);
  TM_TRY_ASSIGN(const MoverEnd end, mover.source().target(false).run(between(
                                        carrying(state), "copy", {"--delete", "--accept-unrelated"})));
  // A live tree changes under the copier; what it could not get now, the last pass must.
  if (end.exit != 0 && end.exit != 1) return failed(state, "cannot copy", end);
  ++state.memory.warm_passes;
  state.memory.last_pass = state.tools.clock.steady() - since;
  return {};
}

Result<void> copy_final(State& state, kube::Writer& writer, const Line& on_line) {
  SwapMemory& memory = state.memory;
  Mover mover(state, writer, on_line);
  std::vector<std::string> words = {"--final", "--delete", "--accept-unrelated"};
  if (may_be_empty(state)) words.emplace_back("--accept-empty-source");
  state.disturbed = false;
  TM_TRY_ASSIGN(const MoverEnd end,
                mover.source().target(false).run(between(carrying(state), "copy", std::move(words))));
  if (end.exit != 0) return failed(state, "cannot copy", end);
  ++memory.copies;
  memory.copied = !state.disturbed;
  memory.verified = false;
  memory.target_uid = state.world->target.uid;
  memory.stamp = state.world->stamp;
  return {};
}

Result<void> compare(State& state, const Step& step, kube::Writer& writer, const Line& on_line) {
  SwapMemory& memory = state.memory;
  Mover mover(state, writer, on_line);
  state.disturbed = false;
  const std::vector<std::string> flags = carrying(state);
  TM_TRY_ASSIGN(const MoverEnd end, mover.source().target(true).run(between(flags, "compare", {})));
  ++memory.compares;
  if (end.exit == 3) {
    memory.copied = false;
    return failed(state, "the copy is not the same as", end, Kind::mismatch);
  }
  if (end.exit != 0) return failed(state, "cannot compare", end);
  if (end.result.integer_at("/counts/entries") <= 1 && memory.entries > 1 && !may_be_empty(state)) {
    memory.copied = false;
    return lost_its_files(state);
  }
  // What it has read first may be older than what was written while it read on.
  memory.copied = memory.copied && !state.disturbed;
  if (memory.copied) TM_TRY(note_equal(state, flags, end));
  memory.verified = memory.copied;
  if (!memory.verified) return {};
  if (!state.options.leave_out.empty()) {
    TM_TRY(state.tools.facts.write(
        fmt::format("run-{}.left-out-{}", state.world->facts.number, step.argument("number")),
        join(state.options.leave_out, ", ")));
  }
  const std::string manifest = end.result.text_at("/facts/manifest");
  TM_TRY(state.tools.facts.write(
      fmt::format("run-{}.compare-{}", state.world->facts.number, step.argument("number")),
      fmt::format("{}: {}{}{}", format_time(state.tools.clock.wall()), end.text,
                  manifest.empty() ? "" : "; manifest " + manifest, carried_otherwise(state.options))));
  return {};
}

}  // namespace

Result<void> act_by_mover(State& state, const Step& step, kube::Writer& writer, const Line& on_line) {
  if (step.verb == "scan") return scan(state, writer, on_line);
  if (step.verb == "scan-newer") return scan_newer(state, writer, on_line);
  if (step.verb == "check-target") return check(state, writer, on_line);
  if (step.verb == "copy-warm") return copy_warm(state, writer, on_line);
  if (step.verb == "copy-final") return copy_final(state, writer, on_line);
  return compare(state, step, writer, on_line);
}

}  // namespace truenas::workflow
