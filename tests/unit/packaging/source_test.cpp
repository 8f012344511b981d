// SPDX-License-Identifier: MIT
#include "packaging/source.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/tar_maker.hpp"
#include "tests/support/temp_dir.hpp"

using namespace rootlet;
using namespace rootlet::packaging;
using Catch::Matchers::Contains;
using test::TarMaker;
using test::TempDir;
namespace fs = std::filesystem;

namespace {

Result<Source> read(const std::string& spec) {
  SourceRequest request;
  request.spec = spec;
  return read_source(request);
}

std::string text_of(const NodePtr& node) {
  REQUIRE(node);
  std::string text(node->size, '\0');
  REQUIRE(node->content.open().value().read_at(0, text.data(), text.size()).ok());
  return text;
}

Result<Source> read_made(const TarMaker& maker) {
  const TempDir dir;
  return read(dir.write("x.tar", maker.make()));
}

std::string tar_fault(const TarMaker& maker) {
  const auto source = read_made(maker);
  return source.ok() ? "" : source.error().message();
}

}  // namespace

TEST_CASE("a tar's owners, modes, links and devices arrive without privilege") {
  TarMaker maker;
  maker.add({.name = "bin/su", .bytes = "su", .mode = 04755, .uid = 5, .gid = 42})
      .add({.name = "bin/su2", .type = '1', .link = "bin/su"})
      .add({.name = "dev/null", .type = '3', .mode = 0666, .major = 1, .minor = 3})
      .add({.name = "dev/sda", .type = '4', .major = 8, .minor = 0})
      .add({.name = "fifo", .type = '6'})
      .add({.name = "out", .type = '2', .link = "../../etc"});
  const auto source = read_made(maker);
  REQUIRE(source.ok());
  const Tree& tree = source.value().tree;
  const NodePtr su = tree.find("bin/su");
  CHECK((su->mode == 04755 && su->uid == 5 && su->gid == 42 && su->mtime == 1000000000));
  CHECK(tree.find("bin/su2") == su);
  CHECK(tree.find("dev/null")->kind == Node::Kind::kCharDevice);
  CHECK((tree.find("dev/null")->major == 1 && tree.find("dev/null")->minor == 3));
  CHECK(tree.find("dev/sda")->kind == Node::Kind::kBlockDevice);
  CHECK(tree.find("fifo")->kind == Node::Kind::kFifo);
  CHECK(tree.find("out")->target == "../../etc");
  CHECK(text_of(su) == "su");
}

TEST_CASE("names with newlines, blanks, quotes and invalid UTF-8 stay the bytes they are") {
  TarMaker maker;
  const std::vector<std::string> names{"a\nb", "a b", "a\\b", "a\"b'", "\xff\xfe", "\xc3\xbc"};
  for (const std::string& name : names) maker.add({.name = name, .bytes = name});
  const auto source = read_made(maker);
  REQUIRE(source.ok());
  for (const std::string& name : names) CHECK(text_of(source.value().tree.find(name)) == name);
}

TEST_CASE("leading slashes and dots of member names do not count") {
  TarMaker maker;
  maker.add({.name = "./a"}).add({.name = "/b"}).add({.name = "./", .type = '5', .mode = 0711});
  const auto source = read_made(maker);
  REQUIRE(source.ok());
  CHECK(source.value().tree.find("a"));
  CHECK(source.value().tree.find("b"));
  CHECK(source.value().tree.root().mode == 0711);
}

TEST_CASE("a member whose name climbs out is refused by name") {
  CHECK_THAT(tar_fault(TarMaker().add({.name = "../etc/x"})),
             Contains("../etc/x: the name climbs out of the tree"));
  CHECK_THAT(tar_fault(TarMaker().add({.name = "a/../../x"})), Contains("climbs out"));
}

TEST_CASE("a member behind a symlink is refused") {
  TarMaker maker;
  maker.add({.name = "d", .type = '2', .link = "/tmp"}).add({.name = "d/x", .bytes = "x"});
  CHECK_THAT(tar_fault(maker), Contains("d/x: a part of this name is not a directory"));
}

TEST_CASE("a hard link to what the archive lacks is refused") {
  CHECK_THAT(tar_fault(TarMaker().add({.name = "x", .type = '1', .link = "../../etc/passwd"})),
             Contains("which the archive lacks"));
}

TEST_CASE("an archive that is cut, empty or none is an error") {
  const TempDir dir;
  TarMaker maker;
  maker.add({.name = "x", .bytes = std::string(5000, 'x')});
  CHECK_FALSE(read(dir.write("cut.tar", maker.make().substr(0, 2000))).ok());
  CHECK_FALSE(read(dir.write("empty.tar", "")).ok());
  CHECK_FALSE(read(dir.write("text", "this is no archive, but a text\n")).ok());
}

TEST_CASE("a directory is read as it is, and its symlinks are not followed") {
  const TempDir dir;
  dir.write("usr/bin/x", "x");
  fs::create_symlink("/etc", dir / "etc");
  fs::create_hard_link(dir / "usr/bin/x", dir / "usr/bin/y");
  ::chmod((dir / "usr/bin/x").c_str(), 04751);
  const auto source = read(dir.path());
  REQUIRE(source.ok());
  CHECK(source.value().kind == Source::Kind::kDirectory);
  const Tree& tree = source.value().tree;
  CHECK(tree.find("etc")->target == "/etc");
  CHECK(tree.find("etc")->children.empty());
  CHECK(tree.find("usr/bin/x") == tree.find("usr/bin/y"));
  CHECK(tree.find("usr/bin/x")->mode == 04751);
  CHECK(text_of(tree.find("usr/bin/x")) == "x");
}

TEST_CASE("a directory swapped for a symlink after it was read does not lead outside") {
  const TempDir dir, elsewhere;
  dir.write("d/x", "inside");
  elsewhere.write("x", "outs!e");
  const auto source = read(dir.path());
  REQUIRE(source.ok());
  fs::remove_all(dir / "d");
  fs::create_directory_symlink(elsewhere.path(), dir / "d");
  CHECK_FALSE(source.value().tree.find("d/x")->content.open().ok());
}

TEST_CASE("a file that shrank since it was read is an error, not zeros") {
  const TempDir dir;
  dir.write("x", "long text");
  const auto source = read(dir.path());
  REQUIRE(source.ok());
  dir.write("x", "short");
  char buffer[9];
  const auto open = source.value().tree.find("x")->content.open();
  CHECK_THAT(open.value().read_at(0, buffer, 9).error().message(), Contains("changed while"));
}

TEST_CASE("a file that the caller may not read is named") {
  const TempDir dir;
  dir.write("usr/secret", "x");
  ::chmod((dir / "usr/secret").c_str(), 0);
  ::chmod(dir.path().c_str(), 0755);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setresgid(65534, 65534, 65534) | ::setresuid(65534, 65534, 65534)))
      ::_exit(9);
    const auto source = read(dir.path());
    if (source.ok()) ::_exit(1);
    ::_exit(source.error().subject == dir / "usr/secret" && source.error().code == EACCES ? 0 : 2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("an AppDir is recognised, and a prefix says otherwise") {
  const TempDir dir;
  dir.write("AppRun", "x");
  CHECK(read(dir.path()).value().kind == Source::Kind::kDirectory);
  dir.write("x.desktop", "");
  CHECK(read(dir.path()).value().kind == Source::Kind::kAppDir);
  CHECK(read("dir:" + dir.path()).value().kind == Source::Kind::kDirectory);
  CHECK_FALSE(read("tar:" + dir.path()).ok());
  const TempDir bare;
  CHECK_FALSE(read("appdir:" + bare.path()).ok());
}
