#include "plugin/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "lib/base/text.h"
#include "plugin/exit_code.h"
#include "plugin/subcommands.h"

namespace truenas::plugin {
namespace {

constexpr std::string_view k_about =
    "Moves a running Coder deployment from Democratic CSI (truenas-nfs) to TrueNAS CSI NFS "
    "(truenas-csi-nfs), and\n"
    "proves that not a byte was lost. Every command shows its plan first and changes nothing without "
    "consent.\n";

std::string render_commands() {
  std::string text =
      fmt::format("{}\nUsage:\n  kubectl truenas-migrate COMMAND [flags]\n\nCommands:\n", k_about);
  for (const Command& command : commands())
    text += fmt::format("  {:<14} {}\n", command.name, command.summary);
  text +=
      "\nExit codes: 0 done, 1 failed, 2 usage, 3 verification mismatch, 4 refused by a safety check "
      "(nothing changed),\n"
      "  5 stopped midway (run again to go on), 10 cannot reach or authenticate, 11 locked by another run, "
      "70 bug,\n"
      "  130/143 ended by a signal.\n\n"
      "Use \"kubectl truenas-migrate COMMAND --help\" for the flags of a command.\n";
  return text;
}

std::string render_help(const Command& command) {
  std::string text =
      fmt::format("{}\n\nUsage:\n  kubectl truenas-migrate {} [flags]\n", command.description, command.usage);
  if (!command.examples.empty()) text += "\nExamples:\n";
  for (const std::string& example : command.examples) text += fmt::format("  {}\n", example);
  return text + render_flags(command.flags());
}

int fail(const Error& error) {
  std::fputs(render_error(error).c_str(), stderr);
  return exit_code_of(error.kind);
}

bool asks_for_help(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "-h" || word == "--help") return true;
  }
  return false;
}

Error unknown_command(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  Error error = make_error(Kind::usage, fmt::format("unknown command {}", quote(word)));
  if (const auto near = nearest(word, names)) error.hints.push_back(fmt::format("did you mean {}?", *near));
  error.hints.push_back("kubectl truenas-migrate --help lists the commands");
  return error;
}

int run_command(std::vector<std::string> words) {
  if (words.empty() || words[0] == "-h" || words[0] == "--help" || words[0] == "help") {
    std::fputs(render_commands().c_str(), stdout);
    return k_exit_done;
  }
  if (words[0] == "--version") words[0] = "version";
  const std::string name = words[0];
  if (name.rfind('-', 0) == 0) {
    return fail(make_error(Kind::usage, fmt::format("flag {} stands before the command", quote(name)),
                           {"kubectl truenas-migrate COMMAND [flags]"}));
  }
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& command) { return command.name == name; });
  if (found == commands().end()) return fail(unknown_command(name));
  words.erase(words.begin());
  if (asks_for_help(words)) {
    std::fputs(render_help(*found).c_str(), stdout);
    return k_exit_done;
  }
  const auto arguments = parse_arguments(found->flags(), std::move(words));
  if (!arguments.ok()) {
    return fail(arguments.error().with_hint(fmt::format("kubectl truenas-migrate {} --help", found->name)));
  }
  const Result<int> code = found->run(*arguments);
  return code.ok() ? *code : fail(code.error());
}

}  // namespace

int run_plugin(std::vector<std::string> words) {
  try {
    return run_command(std::move(words));
  } catch (const std::exception& exception) {
    // Results are values everywhere: an exception that comes this far is a defect, not a failure of the
    // user's site.
    return fail(make_error(Kind::bug, fmt::format("internal error: {}", exception.what()),
                           {"please report this; running the command again is safe"}));
  }
}

}  // namespace truenas::plugin
