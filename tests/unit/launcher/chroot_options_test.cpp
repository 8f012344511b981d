// SPDX-License-Identifier: MIT
#include "launcher/chroot_options.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;
using Words = std::vector<std::string>;

TEST_CASE("nsroot's options end at NEWROOT, and the rest is the command's") {
  auto line = parse_chroot({"-rnv", "a:/b:ro", "--ipc", "root", "ls", "-k", "--net", "--", "-h"});
  REQUIRE(line.ok());
  const ChrootLine& read = line.value();
  CHECK(read.root == "root");
  CHECK(read.command == Words{"ls", "-k", "--net", "--", "-h"});
  CHECK_FALSE(read.help);
  CHECK_FALSE(read.options.root_writable);
  CHECK(read.options.network == Network::none);
  CHECK(read.options.ipc_host == false);
  REQUIRE(read.options.binds.size() == 1);
  CHECK(read.options.binds[0].source == "a");
  CHECK(read.options.binds[0].target == "/b");
  CHECK(read.options.binds[0].writable == false);
}

TEST_CASE("what nsroot shares is shared: a writable root, network and IPC") {
  auto line = parse_chroot({});
  REQUIRE(line.ok());
  CHECK(line.value().root == ".");
  CHECK(line.value().command.empty());
  CHECK(line.value().options.root_writable);
  CHECK(line.value().options.network == Network::host);
  CHECK(line.value().options.ipc_host == true);
  CHECK(line.value().options.only_named);
}

TEST_CASE("a bundle may end with an option's value, attached or not") {
  for (const Words& words : {Words{"-nvx:y", "r"}, Words{"-nv", "x:y", "r"},
                             Words{"--volume=x:y", "r"}, Words{"--vol", "x:y", "r"}}) {
    auto line = parse_chroot(words);
    REQUIRE(line.ok());
    REQUIRE(line.value().options.binds.size() == 1);
    CHECK(line.value().options.binds[0].target == "/y");
    CHECK(line.value().root == "r");
  }
}

TEST_CASE("a backslash makes a colon part of a volume's path") {
  auto line = parse_chroot({"-v", "a\\:b:/c\\:d:rw", "r"});
  REQUIRE(line.ok());
  CHECK(line.value().options.binds[0].source == "a:b");
  CHECK(line.value().options.binds[0].target == "/c:d");
  CHECK(line.value().options.binds[0].writable == true);
}

TEST_CASE("the host stays in reach only when asked to, with a word") {
  auto ignored = parse_chroot({"-o", "/old", "r"});
  REQUIRE(ignored.ok());
  CHECK(ignored.value().options.binds.empty());
  CHECK(ignored.value().notes.size() == 1);
  auto kept = parse_chroot({"-k", "--old-root=/old", "-v", "a:/b", "r"});
  REQUIRE(kept.ok());
  REQUIRE(kept.value().options.binds.size() == 2);
  CHECK(kept.value().options.binds[0].source == "/");
  CHECK(kept.value().options.binds[0].target == "/old");
  CHECK(kept.value().notes.size() == 1);
}

TEST_CASE("any option of a run stands beside nsroot's") {
  auto line = parse_chroot({"--rootlet-net=none", "--rootlet-hostname=n7", "r", "--rootlet-x"});
  REQUIRE(line.ok());
  CHECK(line.value().options.network == Network::none);
  CHECK(line.value().options.hostname == "n7");
  CHECK(line.value().command == Words{"--rootlet-x"});
}

TEST_CASE("a malformed option of nsroot's is named as it was typed") {
  const std::vector<std::pair<Words, std::string>> wrong = {{{"-q"}, "-q"},
                                                            {{"-v"}, "-v"},
                                                            {{"-v", "a"}, "-v"},
                                                            {{"-v", ":b"}, "-v"},
                                                            {{"--vol=a:"}, "--vol"},
                                                            {{"-v", "a:b:x"}, "-v"},
                                                            {{"--net=1"}, "--net"},
                                                            {{"--ol"}, "--ol"},
                                                            {{"-o", "x"}, "-o"},
                                                            {{"-M", "1"}, "-M"},
                                                            {{"--xy"}, "--xy"},
                                                            {{""}, "NEWROOT"},
                                                            {{"-k", "-o", "/"}, "--old-root"}};
  for (const auto& [words, named] : wrong) {
    auto line = parse_chroot(words);
    INFO(words[0]);
    REQUIRE_FALSE(line.ok());
    CHECK(line.error().subject == named);
    CHECK(line.error().exit_code == 125);
    CHECK_FALSE(line.error().hint.empty());
  }
}
