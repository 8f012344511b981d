// SPDX-License-Identifier: MIT
#include "packaging/tree.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;
using namespace rootlet::packaging;

namespace {

Tree small_tree() {
  Tree tree;
  REQUIRE(tree.put("usr/bin/tool", make_file("x", 0755, 0)).ok());
  REQUIRE(tree.put("bin", make_symlink("usr/bin", 0)).ok());
  REQUIRE(tree.put("abs", make_symlink("/usr/bin/tool", 0)).ok());
  REQUIRE(tree.put("loop", make_symlink("loop", 0)).ok());
  REQUIRE(tree.put("out", make_symlink("../../../etc/passwd", 0)).ok());
  return tree;
}

}  // namespace

TEST_CASE("symlinks are followed inside the tree as a program in it would follow them") {
  const Tree tree = small_tree();
  CHECK(tree.resolve("/bin/tool").value().path == "/usr/bin/tool");
  CHECK(tree.resolve("/abs").value().path == "/usr/bin/tool");
  CHECK(tree.resolve("/../../usr/./bin//tool").value().path == "/usr/bin/tool");
}

TEST_CASE("a symlink that climbs ends in the tree, never on the host") {
  const Tree tree = small_tree();
  CHECK(tree.resolve("/out").error().code == ENOENT);
}

TEST_CASE("a circle of symlinks is an error and not a hang") {
  CHECK(small_tree().resolve("/loop").error().code == ELOOP);
}

TEST_CASE("nothing is ever put through a symlink") {
  Tree tree = small_tree();
  CHECK_FALSE(tree.put("bin/other", make_file("", 0644, 0)).ok());
  CHECK_FALSE(tree.put("usr/bin/tool/below", make_file("", 0644, 0)).ok());
}

TEST_CASE("a name that climbs out is refused") {
  Tree tree;
  CHECK_FALSE(tree.put("../x", make_file("", 0644, 0)).ok());
  CHECK_FALSE(tree.put("a/../../x", make_file("", 0644, 0)).ok());
}

TEST_CASE("names beyond what Linux can open are refused") {
  Tree tree;
  CHECK_FALSE(tree.put(std::string(256, 'x'), make_file("", 0644, 0)).ok());
  std::string deep;
  while (deep.size() < 5000) deep += "directory/";
  CHECK_FALSE(tree.put(deep + "x", make_file("", 0644, 0)).ok());
}

TEST_CASE("a directory put over a directory keeps what is in it") {
  Tree tree = small_tree();
  REQUIRE(tree.put("usr/", make_directory(0700, 5)).ok());
  CHECK(tree.find("usr/bin/tool"));
  CHECK(tree.find("usr")->mode == 0700);
}
