// SPDX-License-Identifier: MIT
#include "runtime/sandbox/resolve.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/temp_dir.hpp"

using namespace rootlet;
using namespace rootlet::sandbox;
namespace fs = std::filesystem;

namespace {

ino_t inode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_ino;
}

ino_t inode_of(const os::Fd& fd) {
  struct stat status {};
  REQUIRE(::fstat(fd.get(), &status) == 0);
  return status.st_ino;
}

// A root with links that try to leave it, beside a host directory.
struct Scene {
  test::TempDir directory;
  fs::path root = fs::path(directory.path()) / "root";
  fs::path host = fs::path(directory.path()) / "host";

  Scene() {
    fs::create_directories(root / "opt/data");
    fs::create_directories(root / "real");
    fs::create_directories(host);
    fs::create_directory_symlink("/real", root / "absolute");
    fs::create_directory_symlink("../../host", root / "opt/climbing");
    fs::create_directory_symlink(host, root / "opt/outside");
    fs::create_directory_symlink("loop", root / "loop");
    fs::create_directory_symlink("/run/later", root / "dangling");
  }
  os::Fd open() const { return os::open_path(root).value(); }
};

}  // namespace

TEST_CASE("an absolute link of the image stays inside") {
  const Scene scene;
  const os::Fd root = scene.open();
  CHECK(inode_of(resolve_in_root(root.get(), "/absolute", O_PATH).value()) ==
        inode_of(scene.root / "real"));
}

TEST_CASE("a link that climbs out ends at the root, and the host is not reached") {
  const Scene scene;
  const os::Fd root = scene.open();
  CHECK_FALSE(resolve_in_root(root.get(), "/opt/climbing", O_PATH).ok());
  CHECK_FALSE(resolve_in_root(root.get(), "/opt/outside", O_PATH).ok());
  CHECK(inode_of(resolve_in_root(root.get(), "/../../..", O_PATH).value()) == inode_of(scene.root));
}

TEST_CASE("links that go round end with an error") {
  const Scene scene;
  const os::Fd root = scene.open();
  CHECK(resolve_in_root(root.get(), "/loop", O_PATH).error().code == ELOOP);
  CHECK(find_missing(root.get(), "/loop/x").error().code == ELOOP);
}

TEST_CASE("the first missing component is found, with the directory to make it in") {
  const Scene scene;
  const os::Fd root = scene.open();
  auto missing = find_missing(root.get(), "/opt/new/deep");
  REQUIRE(missing.ok());
  CHECK(missing.value().parent_path == "/opt");
  CHECK(missing.value().name == "new");
  CHECK_FALSE(missing.value().last);
  CHECK(inode_of(missing.value().parent) == inode_of(scene.root / "opt"));
}

TEST_CASE("a dangling link is followed inside to what is missing") {
  const Scene scene;
  const os::Fd root = scene.open();
  auto missing = find_missing(root.get(), "/dangling");
  REQUIRE(missing.ok());
  CHECK(missing.value().parent_path == "/");
  CHECK(missing.value().name == "run");
  CHECK_FALSE(missing.value().last);
}

TEST_CASE("a link out of the root is missing inside, never the host's directory") {
  const Scene scene;
  const os::Fd root = scene.open();
  auto missing = find_missing(root.get(), "/opt/outside/new");
  REQUIRE(missing.ok());
  CHECK(missing.value().parent_path == "/");
  CHECK(fs::is_empty(scene.host));
}
