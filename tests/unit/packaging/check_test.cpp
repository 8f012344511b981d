// SPDX-License-Identifier: MIT
#include "packaging/check.hpp"

#include <elf.h>

#include <catch2/catch.hpp>

#include "tests/support/elf_maker.hpp"

using namespace rootlet;
using namespace rootlet::packaging;
using Catch::Matchers::Contains;
using rootlet::test::ElfMaker;

namespace {

struct Image {
  Tree tree;

  Image& file(const std::string& path, const std::string& bytes, unsigned mode = 0755) {
    REQUIRE(tree.put(path, make_file(bytes, mode, 0)).ok());
    return *this;
  }
  Image& link(const std::string& path, const std::string& target) {
    REQUIRE(tree.put(path, make_symlink(target, 0)).ok());
    return *this;
  }
  Image& loader() { return file("lib64/ld.so", ElfMaker{}.make()); }

  // What is wrong with starting `path`: message and hint, or "" if nothing.
  std::string fault(const std::string& path, std::vector<std::string> env = {}) const {
    Check check(tree, EM_X86_64, env);
    const Status status = check.program(path);
    return status.ok() ? "" : status.error().message() + " | " + status.error().hint;
  }
};

ElfMaker dynamic(std::vector<std::string> needed = {}) {
  return {.interpreter = "/lib64/ld.so", .needed = std::move(needed)};
}

}  // namespace

TEST_CASE("a static program passes") {
  CHECK(Image().file("tool", ElfMaker{}.make()).fault("/tool") == "");
}

TEST_CASE("a program that is not there is named") {
  CHECK(Image().fault("/bin/tool") ==
        "check the image: /bin/tool: the image has no such program | name a program of the image "
        "with --entry or in the policy");
}

TEST_CASE("a program whose symlinks lead in a circle is refused") {
  CHECK_THAT(Image().link("tool", "tool").fault("/tool"), Contains("circle"));
}

TEST_CASE("a symlink out of the image does not find the host's program") {
  CHECK_THAT(Image().link("tool", "/bin/cat").fault("/tool"), Contains("no such program"));
}

TEST_CASE("a program that is not executable is refused with chmod as the remedy") {
  CHECK_THAT(Image().file("tool", ElfMaker{}.make(), 0644).fault("/tool"),
             Contains("/tool: not executable") && Contains("chmod +x"));
}

TEST_CASE("a directory is no program") {
  Image image;
  image.file("dir/x", "");
  CHECK_THAT(image.fault("/dir"), Contains("not a regular file"));
}

TEST_CASE("a file that is neither ELF nor script is refused") {
  CHECK_THAT(Image().file("tool", "echo hello\n").fault("/tool"), Contains("neither an ELF"));
  CHECK_THAT(Image().file("tool", "").fault("/tool"), Contains("neither an ELF"));
}

TEST_CASE("a program of another architecture is named with both") {
  ElfMaker arm{.machine = EM_AARCH64};
  CHECK_THAT(Image().file("tool", arm.make()).fault("/tool"),
             Contains("/tool: is aarch64, the stub is x86-64"));
}

TEST_CASE("a missing loader is named with the package search") {
  CHECK_THAT(Image().file("tool", dynamic().make()).fault("/tool"),
             Contains("/tool: needs the loader /lib64/ld.so, which the image lacks") &&
                 Contains("apt-file search /lib64/ld.so"));
}

TEST_CASE("a missing library is named with the package search") {
  CHECK(Image()
            .loader()
            .file("usr/bin/hmmsearch", dynamic({"libm.so.6"}).make())
            .fault("/usr/bin/hmmsearch") ==
        "check the image: /usr/bin/hmmsearch: needs libm.so.6, which the image lacks | add the "
        "package or file that holds libm.so.6 (on Debian: apt-file search libm.so.6)");
}

TEST_CASE("a library that a library needs is looked for, and its user is named") {
  Image image;
  image.loader().file("tool", dynamic({"liba.so"}).make());
  image.file("usr/lib/liba.so", ElfMaker{.needed = {"libb.so"}}.make());
  CHECK_THAT(image.fault("/tool"), Contains("/usr/lib/liba.so: needs libb.so"));
}

TEST_CASE("libraries are found as the loader finds them") {
  Image image;
  image.loader();
  const std::string library = ElfMaker{}.make();
  SECTION("in the default directories, also of Debian") {
    image.file("usr/lib/x86_64-linux-gnu/liba.so", library);
    CHECK(image.file("tool", dynamic({"liba.so"}).make()).fault("/tool") == "");
  }
  SECTION("through /lib as a symlink") {
    image.file("usr/lib/liba.so", library).link("lib", "usr/lib");
    CHECK(image.file("tool", dynamic({"liba.so"}).make()).fault("/tool") == "");
  }
  SECTION("in directories of ld.so.conf and what it includes") {
    image.file("etc/ld.so.conf", "# comment\ninclude /etc/ld.so.conf.d/*.conf\n", 0644);
    image.file("etc/ld.so.conf.d/x.conf", "/opt/deep\n", 0644);
    image.file("opt/deep/liba.so", library);
    CHECK(image.file("tool", dynamic({"liba.so"}).make()).fault("/tool") == "");
  }
  SECTION("by RUNPATH with $ORIGIN") {
    ElfMaker tool = dynamic({"liba.so"});
    tool.runpath = "$ORIGIN/../private";
    image.file("opt/private/liba.so", library);
    CHECK(image.file("opt/bin/tool", tool.make()).fault("/opt/bin/tool") == "");
  }
  SECTION("$ORIGIN is where the file is, not the symlink to it") {
    ElfMaker tool = dynamic({"liba.so"});
    tool.rpath = "${ORIGIN}";
    image.file("opt/liba.so", library).file("opt/tool", tool.make()).link("tool", "opt/tool");
    CHECK(image.fault("/tool") == "");
  }
  SECTION("an RPATH serves the libraries below, a RUNPATH does not") {
    ElfMaker tool = dynamic({"liba.so"});
    image.file("p/liba.so", ElfMaker{.needed = {"libb.so"}}.make()).file("p/libb.so", library);
    tool.rpath = "/p";
    CHECK(image.file("tool", tool.make()).fault("/tool") == "");
    tool.rpath.clear();
    tool.runpath = "/p";
    CHECK_THAT(image.file("tool", tool.make()).fault("/tool"), Contains("needs libb.so"));
  }
  SECTION("by the policy's LD_LIBRARY_PATH") {
    image.file("q/liba.so", library).file("tool", dynamic({"liba.so"}).make());
    CHECK_THAT(image.fault("/tool"), Contains("needs liba.so"));
    CHECK(image.fault("/tool", {"LD_LIBRARY_PATH=/q"}) == "");
  }
  SECTION("one of another architecture does not count") {
    image.file("usr/lib/liba.so", ElfMaker{.machine = EM_AARCH64}.make());
    CHECK_THAT(image.file("tool", dynamic({"liba.so"}).make()).fault("/tool"),
               Contains("needs liba.so"));
  }
}

TEST_CASE("a script's interpreter must be inside, and be able to start") {
  Image image;
  image.file("tool", "#! /usr/bin/perl -w\n");
  CHECK_THAT(image.fault("/tool"), Contains("/tool: needs /usr/bin/perl, which the image lacks"));
  image.file("usr/bin/perl", dynamic().make());
  CHECK_THAT(image.fault("/tool"), Contains("/usr/bin/perl: needs the loader"));
  image.loader();
  CHECK(image.fault("/tool") == "");
}

TEST_CASE("an interpreter that env looks up is checked in PATH") {
  Image image;
  image.file("usr/bin/env", ElfMaker{}.make()).file("tool", "#!/usr/bin/env -S A=b python3 -u\n");
  CHECK_THAT(image.fault("/tool"), Contains("needs python3 (by env)"));
  image.file("opt/bin/python3", ElfMaker{}.make());
  CHECK_THAT(image.fault("/tool"), Contains("needs python3 (by env)"));
  CHECK(image.fault("/tool", {"PATH=/opt/bin"}) == "");
}

TEST_CASE("scripts that interpret each other without end are refused") {
  Image image;
  image.file("a", "#!/b\n").file("b", "#!/a\n");
  CHECK_THAT(image.fault("/a"), Contains("deeper than Linux follows"));
}

TEST_CASE("an interpreter without a leading slash is refused") {
  CHECK_THAT(Image().file("tool", "#!bash\n").fault("/tool"), Contains("no absolute path"));
  CHECK_THAT(Image().file("tool", "#!\n").fault("/tool"), Contains("names no interpreter"));
}

TEST_CASE("a script with line ends of Windows is refused, whatever its line names") {
  for (const char* line : {"#!/bin/sh\r\necho\r\n", "#!/bin/sh -e\r\n", "#!/usr/bin/env sh\r\n"}) {
    CHECK_THAT(Image().file("tool", line).fault("/tool"), Contains("carriage return"));
  }
}

TEST_CASE("an ELF file cut or changed anywhere is refused or passed, never a crash") {
  ElfMaker maker = dynamic({"liba.so", "libb.so"});
  maker.rpath = "/a:/b";
  const std::string good = maker.make();
  Node node;
  const auto read = [&](std::string bytes) {
    node.size = bytes.size();
    node.content = Content::of_text(std::move(bytes));
    return read_elf(node, "tool").ok();
  };
  CHECK(read(good));
  for (std::size_t size = 0; size < good.size(); ++size) (void)read(good.substr(0, size));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string bad = good;
      bad[at] = value;
      (void)read(bad);
    }
  }
}

TEST_CASE("what a program needs at start is listed in the order of its use") {
  Image image;
  image.loader().file("bin/sh", dynamic({"libc.so"}).make()).file("lib/libc.so", ElfMaker{}.make());
  image.file("tool", "#!/bin/sh\n");
  Check check(image.tree, EM_X86_64, {});
  REQUIRE(check.program("/tool").ok());
  std::vector<std::string> paths;
  for (const Tree::Place& place : check.files()) paths.push_back(place.path);
  CHECK(paths == std::vector<std::string>{"/tool", "/bin/sh", "/lib64/ld.so", "/lib/libc.so"});
}

TEST_CASE("candidates for the entry are programs of PATH, at most as many as asked") {
  Image image;
  image.file("usr/bin/a", "").file("usr/bin/b", "").file("usr/bin/data", "", 0644);
  image.link("bin", "usr/bin");
  CHECK(candidate_programs(image.tree, 10) == std::vector<std::string>{"/usr/bin/a", "/usr/bin/b"});
  CHECK(candidate_programs(image.tree, 1).size() == 1);
}
