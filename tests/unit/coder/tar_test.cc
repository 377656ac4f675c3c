// Archives as Go's archive/tar, GNU tar and a broken disk write them.

#include "lib/coder/tar.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/coder/template_archive.h"
#include "tests/fakes/coderd_api.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

// Rewrites the checksum of the header at `at`.
std::string sealed(std::string archive, std::size_t at = 0) {
  for (std::size_t i = 148; i < 156; ++i) archive[at + i] = ' ';
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[at + i]);
  for (std::size_t i = 6; i-- > 0; sum /= 8) archive[at + 148 + i] = static_cast<char>('0' + sum % 8);
  archive[at + 154] = '\0';
  return archive;
}

std::string with_type(char type) {
  std::string archive = fakes::tar_of({{"main.tf", "x = 1\n"}});
  archive[156] = type;
  return sealed(archive);
}

std::string why(const std::string& archive) {
  const auto files = read_tar(archive, "archive");
  return files.ok() ? "" : files.error().what;
}

}  // namespace

TEST_CASE("tar: files, long names, an archive without its end") {
  const std::string long_name = std::string(150, 'd') + "/main.tf";
  const std::string archive =
      fakes::tar_of({{"./main.tf", "a = 1\n"}, {long_name, std::string(1000, 'x')}, {"empty.tf", ""}});
  const auto files = read_tar(archive, "archive");
  REQUIRE(files.ok());
  REQUIRE(files->size() == 3);
  CHECK(files->at(0).path == "main.tf");
  CHECK(files->at(0).content == "a = 1\n");
  CHECK(files->at(1).path == long_name);
  CHECK(files->at(1).content.size() == 1000);
  CHECK(files->at(2).content.empty());
  CHECK(read_tar(archive.substr(0, archive.size() - 1024), "archive").ok());
  CHECK(read_tar("", "archive")->empty());
}

TEST_CASE("tar: a GNU long name") {
  std::string name = fakes::tar_of({{"@LongLink", std::string(120, 'n') + ".tf"}});
  name[156] = 'L';
  for (const auto& [at, c] : {std::pair(262, ' '), std::pair(263, ' ')})
    name[static_cast<std::size_t>(at)] = c;
  name = sealed(name).substr(0, 1024);
  const auto files = read_tar(name + fakes::tar_of({{"short", "y"}}), "archive");
  REQUIRE(files.ok());
  CHECK(files->at(0).path == std::string(120, 'n') + ".tf");
}

TEST_CASE("tar: what is no file is left out, what cannot be read is refused") {
  for (const char type : {'1', '2', '3', '5', '6'}) {
    // Links and directories have no content, so what follows is taken for the next header: none here.
    std::string archive = fakes::tar_of({{"main.tf", ""}});
    archive[156] = type;
    CHECK(read_tar(sealed(archive), "archive")->empty());
  }
  for (const char type : {'S', 'M', 'V'}) CHECK(contains(why(with_type(type)), "sparse or divided"));
  CHECK(contains(why(with_type('x')), "pax record"));
  CHECK(contains(why(fakes::tar_of({{"a.tf", ""}, {"./a.tf", ""}})), "twice"));
}

TEST_CASE("tar: broken archives") {
  const std::string good = fakes::tar_of({{"main.tf", "x = 1\n"}});
  CHECK(contains(why(good.substr(0, 100)), "ends within a header"));
  CHECK(contains(why(good.substr(0, 514)), "ends within a file"));
  std::string flipped = good;
  flipped[3] ^= 1;
  CHECK(contains(why(flipped), "checksum"));
  std::string magic = good;
  magic[257] = 'X';
  CHECK(contains(why(sealed(magic)), "neither ustar nor GNU"));
  std::string huge = good;
  huge.replace(124, 12, std::string("\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
  CHECK(contains(why(sealed(huge)), "not a number"));
  huge.replace(124, 12, "77777777777 ");
  CHECK(contains(why(sealed(huge)), "ends within a file"));
  CHECK_FALSE(why("<html>502 Bad Gateway</html>").empty());
}

TEST_CASE("template archive: only the texts, and some there must be") {
  const auto files = read_template_archive(
      fakes::tar_of({{"main.tf", "a"}, {"README.md", "b"}, {"../evil.tf", "c"}, {"x.tf.json", "{}"}}),
      "archive");
  REQUIRE(files.ok());
  REQUIRE(files->size() == 2);
  CHECK(files->at(0).path == "main.tf");
  CHECK(files->at(1).path == "x.tf.json");
  CHECK_FALSE(read_template_archive(fakes::tar_of({{"README.md", "b"}}), "archive").ok());
  CHECK_FALSE(read_template_archive(
                  fakes::tar_of({{"a.tf", std::string(6 << 20, 'x')}, {"b.tf", std::string(6 << 20, 'x')}}),
                  "archive")
                  .ok());
}
