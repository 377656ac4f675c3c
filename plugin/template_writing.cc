#include "plugin/template_writing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "lib/base/text.h"

namespace truenas::plugin {
namespace {

namespace fs = std::filesystem;
using workflow::TemplateCorrection;

constexpr std::size_t k_shown = 10;

void say(const std::string& line) {
  std::fprintf(stderr, "%s\n", printable(line).c_str());
}

Error cannot_write(const std::string& path) {
  return make_error(Kind::usage, fmt::format("cannot write {}: {}", printable(path), std::strerror(errno)));
}

// Never over a file that is there.
Result<void> write_new(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return cannot_write(path);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Error error = cannot_write(path);
      ::close(file);
      return error;
    }
    written += static_cast<std::size_t>(count);
  }
  if (::close(file) != 0) return cannot_write(path);
  return {};
}

Result<void> refuse_what_destroys(const std::vector<TemplateCorrection>& corrections) {
  for (const TemplateCorrection& correction : corrections) {
    if (correction.not_kept.empty()) continue;
    Error error =
        make_error(Kind::refused, fmt::format("template {}: no correction of {} keeps every home",
                                              printable(correction.text->name), correction.claim_address));
    error.hints = correction.not_kept;
    if (error.hints.size() > k_shown) error.hints.resize(k_shown);
    return error;
  }
  return {};
}

std::string diff_path(const std::string& directory, const std::vector<TemplateCorrection>& corrections,
                      std::size_t index) {
  std::size_t before = 0;
  for (std::size_t i = 0; i < index; ++i) before += corrections[i].text == corrections[index].text ? 1 : 0;
  const std::string number = before == 0 ? "" : fmt::format("-{}", before + 1);
  return (fs::path(directory) / fmt::format("{}{}.diff", corrections[index].text->name, number)).string();
}

void say_what_to_do(const TemplateCorrection& correction, const std::string& path, const std::string& source,
                    const workflow::WorkspaceOptions& options) {
  say(fmt::format("wrote {}: {} of template {}, {}", path, correction.claim_address, correction.text->name,
                  correction.correction == coder::Correction::remove_class
                      ? "without a class: the cluster's default is the new one"
                      : "with the new class, and ignore_changes = all"));
  for (const std::string& warning : correction.rewritten.warnings) say("warning: " + warning);
  for (std::size_t i = 0; i < std::min(correction.undecided.size(), k_shown); ++i) {
    say("undecided: " + correction.undecided[i]);
  }
  if (correction.undecided.size() > k_shown) {
    say(fmt::format("undecided: {} more", correction.undecided.size() - k_shown));
  }
  say(fmt::format("  patch -p1 -d {} <{}", shell_word(source), shell_word(path)));
  for (const std::string& command : coder::push_commands(correction.text->name, source, options.to_class)) {
    say("  " + command);
  }
}

}  // namespace

Result<void> write_corrections(const std::string& directory,
                               const std::vector<TemplateCorrection>& corrections,
                               const workflow::WorkspaceOptions& options,
                               const TemplateDirectories& sources) {
  TM_TRY(refuse_what_destroys(corrections));
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) {
    return make_error(Kind::usage, fmt::format("cannot make {}: {}", printable(directory), failed.message()));
  }
  if (corrections.empty()) say("no home belongs to a template that was given: nothing to correct");
  for (std::size_t i = 0; i < corrections.size(); ++i) {
    const TemplateCorrection& correction = corrections[i];
    if (correction.rewritten.diff.empty()) {
      say(fmt::format("template {}: {} needs no correction", correction.text->name,
                      correction.claim_address));
      continue;
    }
    const std::string path = diff_path(directory, corrections, i);
    TM_TRY(write_new(path, correction.rewritten.diff));
    const auto index = static_cast<std::size_t>(correction.text - options.templates.data());
    say_what_to_do(correction, path, sources[index], options);
  }
  return {};
}

}  // namespace truenas::plugin
