// SPDX-License-Identifier: MIT
#include "packaging/mount_points.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;
using namespace rootlet::packaging;

namespace {

std::string text_of(const Tree& tree, const std::string& path) {
  const NodePtr node = tree.find(path);
  REQUIRE(node);
  std::string text(node->size, '\0');
  REQUIRE(node->content.open().value().read_at(0, text.data(), text.size()).ok());
  return text;
}

}  // namespace

TEST_CASE("an empty root gets every mount point") {
  Tree tree;
  REQUIRE(add_mount_points(tree, 7).ok());
  for (const char* path : {"proc", "dev", "sys", "run", "home", "root", "mnt", "tmp", "var/tmp"}) {
    INFO(path);
    REQUIRE(tree.find(path));
    CHECK(tree.find(path)->is_directory());
  }
  CHECK(tree.find("tmp")->mode == 01777);
  for (const char* path : {"passwd", "group", "hosts", "resolv.conf", "localtime"}) {
    INFO(path);
    REQUIRE(tree.find("etc/" + std::string(path)));
    CHECK(tree.find("etc/" + std::string(path))->is_file());
    CHECK(tree.find("etc/" + std::string(path))->mtime == 7);
  }
  CHECK(text_of(tree, "etc/localtime").starts_with("TZif"));
}

TEST_CASE("what the source has is kept") {
  Tree tree;
  REQUIRE(tree.put("etc/passwd", make_file("root:", 0600, 1)).ok());
  REQUIRE(tree.put("tmp", make_directory(0700, 1)).ok());
  REQUIRE(add_mount_points(tree, 7).ok());
  CHECK(text_of(tree, "etc/passwd") == "root:");
  CHECK(tree.find("tmp")->mode == 0700);
}

TEST_CASE("a mount point behind a symlink is made where the symlink leads inside") {
  Tree tree;
  REQUIRE(tree.put("var", make_symlink("/data/var", 0)).ok());
  REQUIRE(add_mount_points(tree, 0).ok());
  CHECK(tree.find("var")->is_symlink());
  CHECK(tree.resolve("/var/tmp").value().path == "/data/var/tmp");
}

TEST_CASE("a localtime that is a symlink becomes the zone's file") {
  Tree tree;
  REQUIRE(tree.put("usr/share/zoneinfo/X", make_file("TZif-x", 0644, 3)).ok());
  REQUIRE(tree.put("etc/localtime", make_symlink("/usr/share/zoneinfo/X", 0)).ok());
  REQUIRE(add_mount_points(tree, 0).ok());
  CHECK(text_of(tree, "etc/localtime") == "TZif-x");
  CHECK(tree.find("etc/localtime") != tree.find("usr/share/zoneinfo/X"));
}

TEST_CASE("a resolv.conf that points into /run becomes a file to bind onto") {
  Tree tree;
  REQUIRE(tree.put("etc/resolv.conf", make_symlink("../run/systemd/resolve/x", 0)).ok());
  REQUIRE(add_mount_points(tree, 0).ok());
  CHECK(tree.find("etc/resolv.conf")->is_file());
}

TEST_CASE("a file where a directory must be is refused by name") {
  Tree tree;
  REQUIRE(tree.put("proc", make_file("", 0644, 0)).ok());
  const Status status = add_mount_points(tree, 0);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().subject == "/proc");
}
