// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "packaging/output_file.hpp"
#include "packaging/stub.hpp"
#include "tests/support/elf_maker.hpp"
#include "tests/support/temp_dir.hpp"

using namespace rootlet;
using namespace rootlet::packaging;
using Catch::Matchers::Contains;
using test::TempDir;
namespace fs = std::filesystem;

namespace {

std::size_t entries(const TempDir& dir) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("an output that is not published leaves nothing") {
  const TempDir dir;
  {
    const OutputFile file = OutputFile::create(dir / "x").value();
    REQUIRE(::write(file.fd(), "x", 1) == 1);
  }
  CHECK(entries(dir) == 0);
}

TEST_CASE("a published output has its name, mode and bytes, and replaces another") {
  const TempDir dir;
  dir.write("x", "old");
  OutputFile file = OutputFile::create(dir / "x").value();
  REQUIRE(::write(file.fd(), "new", 3) == 3);
  CHECK(test::read_whole(dir / "x") == "old");
  REQUIRE(file.publish(0755).ok());
  CHECK(test::read_whole(dir / "x") == "new");
  CHECK((fs::status(dir / "x").permissions() & fs::perms::mask) == fs::perms(0755));
  CHECK(entries(dir) == 1);
}

TEST_CASE("an output killed by SIGTERM or SIGKILL leaves nothing") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const TempDir dir;
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(signal, SIG_DFL);  // Catch2 has a handler for it
      const auto file = OutputFile::create(dir / "x");
      if (!file.ok()) ::_exit(1);
      ::raise(signal);
      ::_exit(2);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WTERMSIG(status) == signal);
    CHECK(entries(dir) == 0);
  }
}

TEST_CASE("only programs and empty files are replaced unless forced") {
  const TempDir dir;
  CHECK(check_replaceable(dir / "new", false).ok());
  CHECK(check_replaceable(dir.write("empty", ""), false).ok());
  CHECK(check_replaceable(dir.write("elf", "\177ELF..."), false).ok());
  const std::string text = dir.write("thesis.txt", "years of work");
  CHECK_THAT(check_replaceable(text, false).error().hint, Contains("--force"));
  CHECK(check_replaceable(text, true).ok());
  CHECK(check_replaceable(dir.path(), true).error().code == EISDIR);
}

TEST_CASE("a stub that is no ELF, of odd size or with bytes behind it is refused") {
  const TempDir dir;
  CHECK_THAT(read_stub(dir.write("text", "#!/bin/sh\n")).error().message(), Contains("not an ELF"));
  CHECK(read_stub(dir / "absent").error().code == ENOENT);
  const std::string elf = test::ElfMaker{}.make();
  CHECK_THAT(read_stub(dir.write("elf", elf)).error().message(), Contains("would not be found"));
  std::string table = elf;
  Elf64_Ehdr header{};
  std::memcpy(&header, table.data(), sizeof header);
  header.e_shoff = elf.size();
  header.e_shnum = 1;
  header.e_shentsize = sizeof(Elf64_Shdr);
  std::memcpy(table.data(), &header, sizeof header);
  table.append(sizeof(Elf64_Shdr), '\0');
  CHECK_THAT(read_stub(dir.write("odd", table)).error().message(), Contains("multiple of 4096"));
}
