#include "lib/storage/mover_binaries.h"

#include <doctest/doctest.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "lib/base/text.h"
#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

std::uint16_t half(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) |
                                    static_cast<unsigned char>(bytes[at + 1]) << 8);
}

// Whether an ELF program asks for an interpreter, that is, for anything else on the machine (elf(5): 64
// bits).
bool asks_for_an_interpreter(std::string_view elf) {
  std::uint64_t headers = 0;
  std::memcpy(&headers, elf.data() + 32, sizeof headers);
  const std::size_t size = half(elf, 54), count = half(elf, 56);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t type = 0;
    std::memcpy(&type, elf.data() + headers + i * size, sizeof type);
    if (type == 3) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("both movers are static programs for their architecture, small enough for a ConfigMap") {
  const std::pair<Architecture, std::uint16_t> machines[] = {{Architecture::amd64, 62},
                                                             {Architecture::arm64, 183}};
  for (const auto& [architecture, machine] : machines) {
    const std::string_view binary = mover_binary(architecture);
    CAPTURE(architecture_name(architecture));
    REQUIRE(binary.size() > 10000);
    CHECK(binary.size() < 1024 * 1024);
    CHECK(binary.substr(0, 4) ==
          "\x7f"
          "ELF");
    CHECK(half(binary, 18) == machine);
    CHECK_FALSE(asks_for_an_interpreter(binary));
    CHECK(mover_sha256(architecture) == sha256_hex(binary));
    CHECK(find_architecture(architecture_name(architecture)) == architecture);
  }
  CHECK_FALSE(find_architecture("s390x").has_value());
}

TEST_CASE("the mover for this machine runs, moves a tree and finds it equal") {
  struct utsname machine {};
  REQUIRE(uname(&machine) == 0);
  const Architecture here =
      std::string_view(machine.machine) == "aarch64" ? Architecture::arm64 : Architecture::amd64;
  const mover::ScratchTree tree;
  const std::string program = tree.file("volume-mover", mover_binary(here));
  mover::set_mode(program, 0555);
  tree.directory("source");
  tree.directory("target");
  mover::own(tree.file("source/file", "content"), 1000, 1001);
  const auto run = [&](const std::string& words) {
    return std::system((program + " " + words + " >" + tree.at("output") + " 2>&1").c_str());
  };
  const std::string both = tree.at("source") + " " + tree.at("target");
  CHECK(run("--version") == 0);
  CHECK(run("probe --uid=1000 " + tree.at("target")) == 0);
  CHECK(run("copy --owners=chown --final " + both) == 0);
  CHECK(run("compare " + both) == 0);
  mover::own(tree.at("target/file"), 0, 0);
  CHECK(WEXITSTATUS(run("compare " + both)) == 3);
}
