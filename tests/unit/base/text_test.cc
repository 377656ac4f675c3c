#include "lib/base/text.h"

#include <doctest/doctest.h>

using namespace truenas;

TEST_CASE("SHA-256 test vectors of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("base64 as RFC 4648 has it, and nothing else") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    CHECK(base64_encode(plain) == coded);
    CHECK(base64_decode(coded).value() == plain);
  }
  CHECK(base64_decode("Zm9v\r\nYmFy\n").value() == "foobar");
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zg==Zg==", "Zm9v Ym", "Zm9-",
                           "====", "==", "Zh==", "Zm9=", "\xff\xff\xff\xff"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  CHECK(base64_decode(base64_encode(bytes)).value() == bytes);
}

TEST_CASE("two long names stay different when they are cut") {
  const std::string a(80, 'a');
  const std::string b = a + "b";
  CHECK(cut_name("short") == "short");
  CHECK(cut_name(std::string(63, 'x')) == std::string(63, 'x'));
  CHECK(cut_name(a).size() == 63);
  CHECK(cut_name(a) != cut_name(b));
  CHECK(cut_name(a) == cut_name(a));
  CHECK(cut_name(a) == std::string(54, 'a') + "-" + sha256_hex(a).substr(0, 8));
}

TEST_CASE("did you mean") {
  const std::vector<std::string> commands{"postgres", "verify", "workspaces", "storageclass"};
  CHECK(nearest("postgre", commands).value() == "postgres");
  CHECK(nearest("verfy", commands).value() == "verify");
  CHECK(nearest("workspace", commands).value() == "workspaces");
  CHECK_FALSE(nearest("frobnicate", commands).has_value());
  CHECK_FALSE(nearest("x", {}).has_value());
  CHECK_FALSE(nearest(std::string(100000, 'x'), commands).has_value());
}

TEST_CASE("text of a server cannot drive a terminal") {
  CHECK(printable("a\x1b[31mb\r\n\t\x7f") == "a\\x1b[31mb\\r\\n\\t\\x7f");
  CHECK(quote("a\"b\\c\n") == "\"a\\\"b\\\\c\\n\"");
  CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
}

TEST_CASE("a word of a shell stays one word and means itself") {
  CHECK(shell_word("./templates/kubernetes-1.2") == "./templates/kubernetes-1.2");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("my homes") == "'my homes'");
  CHECK(shell_word("$(rm -r x)") == "'$(rm -r x)'");
  CHECK(shell_word("don't") == "'don'\\''t'");
}

TEST_CASE("small ones") {
  CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(join({"a", "b"}, ", ") == "a, b");
  CHECK(join({}, ", ").empty());
  CHECK(trim(" \ta b\n") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(lower("AbC-1") == "abc-1");
  CHECK(contains("abc", "bc"));
  CHECK(count_of(1, "volume") == "1 volume");
  CHECK(count_of(0, "volume") == "0 volumes");
  CHECK(count_of(2, "copy", "copies") == "2 copies");
  CHECK(percent_encode("a b/c=~\xff") == "a%20b%2Fc%3D~%FF");
}
