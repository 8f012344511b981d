// SPDX-License-Identifier: MIT
#include "packaging/squashfs.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "runtime/payload/payload.hpp"
#include "tests/support/temp_dir.hpp"

using namespace rootlet;
using namespace rootlet::packaging;
using test::TempDir;

namespace {

// Bytes that do not compress, the same on every run.
std::string noise(std::size_t size, std::uint64_t seed) {
  std::string out(size, '\0');
  for (char& byte : out) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(seed >> 56);
  }
  return out;
}

Tree sample() {
  Tree tree;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "d" + std::to_string(i % 7) + "/f" + std::to_string(i);
    const std::size_t size = static_cast<std::size_t>(i) * 3001;
    REQUIRE(
        tree.put(name, make_file(i % 2 ? noise(size, 9) : std::string(size, 'a'), 0644, i)).ok());
  }
  return tree;
}

std::string written(const Tree& tree, SquashfsOptions options) {
  const TempDir dir;
  const std::string path = dir.write("image", "");
  const os::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(write_squashfs(tree, file.get(), options).ok());
  const auto block = read_superblock(file.get(), options.offset, path);
  REQUIRE(block.ok());
  return test::read_whole(path);
}

}  // namespace

TEST_CASE("an image's bytes do not depend on the number of threads or of the run") {
  const Tree tree = sample();
  SquashfsOptions one, four;
  one.threads = 1;
  four.threads = 4;
  const std::string image = written(tree, one);
  CHECK(image == written(tree, four));
  CHECK(image == written(sample(), four));
}

TEST_CASE("the image is a multiple of 4096 bytes and begins at its offset") {
  SquashfsOptions options;
  options.offset = 8192;
  const std::string image = written(sample(), options);
  CHECK(image.size() % 4096 == 0);
  CHECK(image.substr(8192, 4) == "hsqs");
}

TEST_CASE("files for the start come first, in their order, as they are") {
  Tree tree = sample();
  const std::string late(300000, 'z'), early(5000, 'y');
  REQUIRE(tree.put("zz/late", make_file(late, 0755, 0)).ok());
  REQUIRE(tree.put("zz/early", make_file(early, 0755, 0)).ok());
  SquashfsOptions options;
  options.first = {tree.find("zz/late"), tree.find("zz/early")};
  const std::string image = written(tree, options);
  const std::size_t at = image.find(late);
  CHECK(at < 200);
  CHECK(image.find(early) == at + late.size());
  options.first.clear();
  CHECK(written(tree, options).find(early) == std::string::npos);
}

TEST_CASE("the same file twice is stored once") {
  Tree once, twice;
  const std::string bytes = noise(500000, 3);
  REQUIRE(once.put("a", make_file(bytes, 0644, 0)).ok());
  REQUIRE(twice.put("a", make_file(bytes, 0644, 0)).ok());
  REQUIRE(twice.put("b", make_file(bytes, 0644, 0)).ok());
  CHECK(written(twice, {}).size() <= written(once, {}).size() + 4096);
}

TEST_CASE("a full disk is an error that says so") {
  const os::Fd full(::open("/dev/full", O_RDWR | O_CLOEXEC));
  REQUIRE(full.valid());
  const auto stats = write_squashfs(sample(), full.get(), {});
  REQUIRE_FALSE(stats.ok());
  CHECK(stats.error().code == ENOSPC);
}
