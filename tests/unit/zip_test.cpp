// SPDX-License-Identifier: MIT
#include "runtime/payload/zip.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <random>

#include "runtime/os/fd.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/zip_maker.hpp"

using namespace rootlet;
using Catch::Matchers::Contains;
using test::TempDir;
using test::ZipMaker;

namespace {

// An archive in a file, and what is found in it.
struct Jar {
  explicit Jar(const std::string& content)
      : bytes(content), fd(::open(place.write("a.jar", content).c_str(), O_RDONLY | O_CLOEXEC)) {}

  Result<FileRange> find(const std::string& entry) const {
    return find_in_jar({fd.get(), 0, bytes.size()}, entry, "a.jar");
  }
  std::string content(const std::string& entry) const {
    const auto range = find(entry);
    INFO((range.ok() ? std::string() : range.error().message()));
    REQUIRE(range.ok());
    return bytes.substr(range.value().offset, range.value().length);
  }
  std::string trouble(const std::string& entry) const {
    const auto range = find(entry);
    REQUIRE_FALSE(range.ok());
    CHECK(range.error().exit_code == 125);
    return range.error().message();
  }

  TempDir place;
  std::string bytes;
  os::Fd fd;
};

std::string two_entries() {
  return ZipMaker().add({"first", "one"}).add({"dir/second", "number two"}).finish();
}

}  // namespace

TEST_CASE("a stored entry is found where its bytes lie") {
  CHECK(Jar(two_entries()).content("first") == "one");
  CHECK(Jar(two_entries()).content("dir/second") == "number two");
  CHECK(Jar(ZipMaker().add({"x", "data", 0, 0, "", std::string(77, '\0')}).finish()).content("x") ==
        "data");
  CHECK(Jar(ZipMaker().add({"empty"}).finish()).content("empty").empty());
}

TEST_CASE("zip64, comments and programs in front of an archive are understood") {
  ZipMaker::Member large{"big", "sixty-four"};
  large.large = true;
  CHECK(Jar(ZipMaker().add(large).finish({true})).content("big") == "sixty-four");
  CHECK(Jar(ZipMaker().add(large).finish()).content("big") == "sixty-four");
  CHECK(
      Jar(ZipMaker().add({"x", "y"}).finish({false, "a comment PK\5\6 in the way"})).content("x") ==
      "y");
  const std::string program(5000, 'E');
  CHECK(Jar(ZipMaker(program).add({"x", "y"}).finish()).content("x") == "y");
  // Joined with cat: the offsets do not count the program.
  const std::string plain = two_entries();
  CHECK(Jar(program + plain).content("dir/second") == "number two");
}

TEST_CASE("an archive stored in an archive is looked into") {
  const std::string inner = two_entries();
  const std::string outer = ZipMaker().add({"other", "x"}).add({"lib/inner.jar", inner}).finish();
  CHECK(Jar(outer).content("lib/inner.jar!/dir/second") == "number two");
  CHECK_THAT(Jar(outer).trouble("lib/inner.jar!/none"), Contains("a.jar!/lib/inner.jar!/none"));
  CHECK_THAT(Jar(outer).trouble("other!/x"), Contains("no zip archive"));
}

TEST_CASE("a short name means the image stored for this machine") {
#if defined(__aarch64__)
  const std::string path = "META-INF/rootlet/tool/linux-aarch_64/tool.AppImage";
#else
  const std::string path = "META-INF/rootlet/tool/linux-x86_64/tool.AppImage";
#endif
  CHECK(Jar(ZipMaker().add({path, "image"}).finish()).content("tool") == "image");
  CHECK(Jar(ZipMaker().add({path, "image"}).add({"tool", "itself"}).finish()).content("tool") ==
        "itself");
  CHECK_THAT(Jar(two_entries()).trouble("tool"), Contains("a.jar!/tool: the archive has no such"));
}

TEST_CASE("an entry that cannot be mounted in place says so") {
  CHECK_THAT(Jar(ZipMaker().add({"x", "y", 8}).finish()).trouble("x"), Contains("compressed"));
  CHECK_THAT(Jar(ZipMaker().add({"x", "y", 0, 1}).finish()).trouble("x"), Contains("encrypted"));
}

TEST_CASE("an archive made to mislead is refused") {
  const auto trouble = [](const std::string& bytes) { return Jar(bytes).trouble("x"); };
  CHECK_THAT(trouble(""), Contains("no zip archive"));
  CHECK_THAT(trouble("PK\5\6"), Contains("no zip archive"));
  CHECK_THAT(trouble(two_entries().substr(0, two_entries().size() - 1)),
             Contains("no zip archive"));
  CHECK_THAT(trouble(ZipMaker().add({"x", "1"}).add({"x", "2"}).finish()),
             Contains("two entries of this name"));
  CHECK_THAT(trouble(ZipMaker().add({"x", "1", 0, 0, "y"}).finish()),
             Contains("contradict each other"));
  CHECK_THAT(trouble(ZipMaker().add({"x", "1", 0, 0, "", "", false, 4000000000}).finish()),
             Contains("outside of it"));
  CHECK_THAT(trouble(ZipMaker().add({"x", "1", 0, 0, "", "", true, 1ull << 62}).finish()),
             Contains("outside of it"));
  CHECK_THAT(trouble(ZipMaker().add({"x", "1", 0, 0, "", "", true, 0, 1ull << 62}).finish()),
             Contains("reaches into the directory"));
  CHECK_THAT(trouble(ZipMaker().add({"x", "1", 0, 0, "", "", false, 0, 90}).finish()),
             Contains("reaches into the directory"));
  CHECK_THAT(trouble(ZipMaker().add({"a", "1"}).finish({false, "", 3})), Contains("too short"));
  CHECK_THAT(trouble(ZipMaker().add({"a", "1"}).finish({true, "", 1ull << 60})),
             Contains("too short"));
  CHECK_THAT(trouble(ZipMaker().add({"a", "1"}).finish({false, "", 0, 0, 1000000})),
             Contains("its directory"));
  CHECK_THAT(trouble(ZipMaker().add({"a", "1"}).finish({true, "", 0, 0, 0, 1ull << 63})),
             Contains("zip64 record"));
  CHECK_THAT(trouble(ZipMaker().add({"a", "1"}).finish({true, "", 0, 0, 0, 5})),
             Contains("zip64 record"));
}

TEST_CASE("an entry with another one inside is refused") {
  const std::string inner = ZipMaker().add({"hidden", "z"}).finish();
  ZipMaker outer;
  outer.add({"x", inner + "padding"});
  ZipMaker::Member hidden{"hidden", "z"};
  hidden.wrong_header = 30 + 1;  // inside of x: the local header of the inner archive
  CHECK_THAT(Jar(outer.add(hidden).finish()).trouble("x"), Contains("another entry lies inside"));
}

TEST_CASE("no damage to an archive crashes or misleads its reader") {
  ZipMaker::Member large{"x", "the right content"};
  large.large = true;
  const std::string sound =
      ZipMaker().add({"a", "before"}).add(large).add({"b", "behind"}).finish({true, "comment"});
  std::mt19937 random(7);
  const TempDir place;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = sound;
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
    }
    if (round % 5 == 0) bytes.resize(random() % bytes.size());
    const os::Fd fd(::open(place.write("a.jar", bytes).c_str(), O_RDONLY | O_CLOEXEC));
    const auto found = find_in_jar({fd.get(), 0, bytes.size()}, "x", "a.jar");
    if (!found.ok()) continue;
    REQUIRE(found.value().offset <= bytes.size());
    REQUIRE(found.value().length <= bytes.size() - found.value().offset);
  }
}
