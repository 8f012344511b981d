// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "packaging/source.hpp"
#include "tests/support/image_maker.hpp"
#include "tests/support/tar_maker.hpp"

using namespace rootlet;
using namespace rootlet::packaging;
using Catch::Matchers::Contains;
using test::ImageMaker;
using test::TarMaker;
using test::TempDir;

namespace {

// An image of these layers, lowest first, read as `rootlet build oci:` does.
Result<Source> image_of(const std::vector<TarMaker>& layers) {
  const TempDir dir;
  ImageMaker maker(dir);
  for (const TarMaker& layer : layers) maker.layer(layer.make());
  maker.finish();
  SourceRequest request;
  request.spec = "oci:" + dir.path();
  return read_source(request);
}

Tree tree_of(const std::vector<TarMaker>& layers) {
  auto source = image_of(layers);
  if (!source.ok()) FAIL(source.error().message());
  return std::move(source).value().tree;
}

std::string fault_of(const std::vector<TarMaker>& layers) {
  const auto source = image_of(layers);
  return source.ok() ? "" : source.error().message();
}

TarMaker tar(std::initializer_list<TarMaker::Member> members) {
  TarMaker maker;
  for (const auto& member : members) maker.add(member);
  return maker;
}

TarMaker::Member file(const std::string& name, const std::string& bytes = "x") {
  return {.name = name, .bytes = bytes};
}
TarMaker::Member directory(const std::string& name, unsigned mode = 0755) {
  return {.name = name, .type = '5', .mode = mode};
}
TarMaker::Member soft_link(const std::string& name, const std::string& target) {
  return {.name = name, .type = '2', .link = target};
}
TarMaker::Member hardlink(const std::string& name, const std::string& target) {
  return {.name = name, .type = '1', .link = target};
}

std::string text_of(const NodePtr& node) {
  REQUIRE(node);
  std::string text(node->size, '\0');
  REQUIRE(node->content.open().value().read_at(0, text.data(), text.size()).ok());
  return text;
}

}  // namespace

TEST_CASE("a later layer adds, replaces and keeps") {
  const Tree tree = tree_of({tar({directory("a", 0700), file("a/old"), file("a/same", "1")}),
                             tar({directory("a", 0711), file("a/same", "2"), file("a/new")})});
  CHECK(tree.find("a")->mode == 0711);
  CHECK(tree.find("a/old"));
  CHECK(tree.find("a/new"));
  CHECK(text_of(tree.find("a/same")) == "2");
}

TEST_CASE("a whiteout hides what lower layers have, and nothing of its own layer") {
  const TarMaker lower = tar({file("d/a"), file("d/b"), file("e/x/deep"), file("f")});
  const Tree tree = tree_of({lower, tar({file("d/.wh.a"), file(".wh.e"), file(".wh.missing")})});
  CHECK_FALSE(tree.find("d/a"));
  CHECK(tree.find("d/b"));
  CHECK_FALSE(tree.find("e"));
  CHECK_FALSE(tree.find("d/.wh.a"));
  for (const bool first : {true, false}) {
    const TarMaker upper =
        first ? tar({file(".wh.e"), file("e/x/new")}) : tar({file("e/x/new"), file(".wh.e")});
    const Tree both = tree_of({lower, upper});
    CHECK(both.find("e/x/new"));
    CHECK_FALSE(both.find("e/x/deep"));
  }
}

TEST_CASE("an opaque directory shows its own layer alone, wherever in it the mark stands") {
  const TarMaker lower = tar({file("d/low"), file("d/sub/low")});
  for (const bool first : {true, false}) {
    const TarMaker upper =
        first ? tar({directory("d"), file("d/.wh..wh..opq"), file("d/up"), file("d/sub/up")})
              : tar({directory("d"), file("d/up"), file("d/sub/up"), file("d/.wh..wh..opq")});
    const Tree tree = tree_of({lower, upper});
    CHECK_FALSE(tree.find("d/low"));
    CHECK_FALSE(tree.find("d/sub/low"));
    CHECK(tree.find("d/up"));
    CHECK(tree.find("d/sub/up"));
  }
}

TEST_CASE(
    "whiteouts that mean a parent, nothing, or a tree are refused; an old driver's are skipped") {
  const TarMaker lower = tar({file("d/a")});
  CHECK_THAT(fault_of({lower, tar({file("d/.wh...")})}), Contains("no entry of a directory"));
  CHECK_THAT(fault_of({lower, tar({file("d/.wh..")})}), Contains("no entry of a directory"));
  CHECK_THAT(fault_of({lower, tar({file("d/.wh.")})}), Contains("no entry of a directory"));
  CHECK_THAT(fault_of({lower, tar({file(".wh.d/x")})}), Contains("a whiteout that is a directory"));
  CHECK_THAT(fault_of({lower, tar({file("../.wh.d")})}), Contains("climbs out"));
  const Tree tree = tree_of({lower, tar({directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2")})});
  CHECK(tree.root().children.size() == 1);
}

TEST_CASE("a hard link finds its file in its own layer and in lower ones, also by another name") {
  const Tree tree =
      tree_of({tar({file("bin/a", "text"), soft_link("sbin", "bin")}),
               tar({hardlink("b", "bin/a"), hardlink("c", "b"), hardlink("d", "/sbin/a")})});
  CHECK(tree.find("b") == tree.find("bin/a"));
  CHECK(tree.find("c") == tree.find("b"));
  CHECK(tree.find("d") == tree.find("b"));
}

TEST_CASE("a hard link that leads out, to nothing or to a directory is refused by name") {
  CHECK_THAT(fault_of({tar({hardlink("x", "../../etc/passwd")})}),
             Contains("outside of the image"));
  CHECK_THAT(fault_of({tar({hardlink("x", "/etc/passwd")})}), Contains("which no layer has"));
  CHECK_THAT(fault_of({tar({directory("d"), hardlink("x", "d")})}), Contains("which no layer has"));
  CHECK_THAT(fault_of({tar({hardlink("x", "x")})}), Contains("which no layer has"));
}

TEST_CASE("a name through a symlink leads where it leads inside, never to the host") {
  const Tree tree = tree_of({tar({directory("usr/lib"), soft_link("lib", "usr/lib")}),
                             tar({file("lib/x", "inside"), soft_link("out", "/../../../tmp"),
                                  file("out/y", "inside too")})});
  CHECK(tree.find("lib")->is_symlink());
  CHECK(text_of(tree.find("usr/lib/x")) == "inside");
  CHECK(text_of(tree.find("tmp/y")) == "inside too");
}

TEST_CASE("links in a circle, a file as a directory and names that are too long are refused") {
  const TarMaker circle = tar({soft_link("a", "b"), soft_link("b", "a"), file("a/x")});
  CHECK_THAT(fault_of({circle}), Contains("a part of this name is not a directory"));
  CHECK_THAT(fault_of({tar({file("f"), file("f/x")})}), Contains("is not a directory"));
}

TEST_CASE("absolute names lose their slash, and a directory replaces a link of a lower layer") {
  const Tree tree =
      tree_of({tar({soft_link("etc", "/host")}), tar({directory("etc"), file("/etc/x")})});
  CHECK(tree.find("etc")->is_directory());
  CHECK(tree.find("etc/x"));
}

TEST_CASE("a file that replaces one of two hard links leaves the other as it was") {
  const Tree tree = tree_of({tar({file("a", "old"), hardlink("b", "a")}), tar({file("a", "new")})});
  CHECK(text_of(tree.find("a")) == "new");
  CHECK(text_of(tree.find("b")) == "old");
}

TEST_CASE("device nodes and set-id programs of an image are packed, and said to have no effect") {
  TarMaker layer;
  layer.add({.name = "dev/sda", .type = '4', .major = 8}).add({.name = "bin/su", .mode = 04755});
  const auto source = image_of({layer});
  REQUIRE(source.ok());
  REQUIRE(source.value().notes.size() == 2);
  CHECK_THAT(source.value().notes[0], Contains("do not open inside: 1, for example /dev/sda"));
  CHECK_THAT(source.value().notes[1], Contains("no effect inside: 1, for example /bin/su"));
}
