// SPDX-License-Identifier: MIT
#include <sys/mman.h>
#include <sys/syscall.h>
#include <catch2/catch.hpp>

#include "launcher/learn/path_calls.hpp"
#include "launcher/learn/program_start.hpp"
#include "launcher/learn/watch_filter.hpp"
#include "launcher/rules/fold.hpp"
#include "launcher/rules/merge.hpp"
#include "launcher/rules/replay.hpp"
#include "runtime/sandbox/filter_rules.hpp"
#include "runtime/sandbox/seccomp.hpp"

using namespace rootlet;

namespace {

seccomp_data call_of(int number, std::uint64_t first = 0, std::uint64_t second = 0,
                     std::uint64_t third = 0) {
  seccomp_data call{};
  call.nr = number;
  call.arch = sandbox::kArchitecture;
  call.args[0] = first;
  call.args[1] = second;
  call.args[2] = third;
  return call;
}

rules::Rules reading(std::initializer_list<std::string> paths) {
  rules::Rules rules;
  for (const std::string& path : paths) {
    rules.paths.push_back({path, false, {rules::Access::read}, "image", {{"a"}, 1}});
  }
  return rules;
}

}  // namespace

TEST_CASE("a watched tool stops for each call but the one that carries the listener") {
  constexpr std::uint64_t kMessage = 0x7f0012345678;
  const auto program = learn::watch_filter(learn::Detail::all, kMessage);
  CHECK(learn::verdict(program, call_of(__NR_getpid)) == SECCOMP_RET_USER_NOTIF);
  CHECK(learn::verdict(program, call_of(__NR_sendmsg, 3, kMessage)) == SECCOMP_RET_ALLOW);
  CHECK(learn::verdict(program, call_of(__NR_sendmsg, 3, kMessage + 1)) == SECCOMP_RET_USER_NOTIF);
  CHECK(learn::verdict(program, call_of(__NR_sendmsg, 3, kMessage & 0xffffffff)) ==
        SECCOMP_RET_USER_NOTIF);
  seccomp_data other = call_of(__NR_read);
  other.arch = AUDIT_ARCH_I386;
  CHECK(learn::verdict(program, other) == SECCOMP_RET_USER_NOTIF);
}

TEST_CASE("quiet calls do not stop, unless they make memory executable") {
  const auto program = learn::watch_filter(learn::Detail::deciding, 0);
  for (const std::uint32_t number : learn::quiet_calls()) {
    CHECK(learn::verdict(program, call_of(static_cast<int>(number))) == SECCOMP_RET_ALLOW);
  }
  for (const int number : {__NR_mmap, __NR_mprotect}) {
    CHECK(learn::verdict(program, call_of(number, 0, 0, PROT_READ | PROT_EXEC)) ==
          SECCOMP_RET_USER_NOTIF);
  }
  CHECK(learn::verdict(program, call_of(__NR_openat)) == SECCOMP_RET_USER_NOTIF);
}

TEST_CASE("the watcher refuses what the default filter refuses, with its errno") {
  const auto filter = sandbox::default_filter();
  CHECK(learn::verdict(filter, call_of(__NR_add_key)) == (SECCOMP_RET_ERRNO | EPERM));
  CHECK(learn::verdict(filter, call_of(__NR_io_uring_setup)) == (SECCOMP_RET_ERRNO | ENOSYS));
  CHECK(learn::verdict(filter, call_of(__NR_socket, 17)) == (SECCOMP_RET_ERRNO | EAFNOSUPPORT));
  CHECK(learn::verdict(filter, call_of(__NR_openat)) == SECCOMP_RET_ALLOW);
}

TEST_CASE("what starts with a program is read from its first bytes") {
  CHECK(learn::program_start("#! /bin/sh -e\nls").interpreter == "/bin/sh");
  CHECK(learn::program_start("#!/usr/bin/env").interpreter == "/usr/bin/env");
  CHECK(learn::program_start("#!\n").interpreter.empty());
  CHECK(learn::program_start("\x7f"
                             "ELF")
            .loader.empty());
  CHECK(learn::program_start("").interpreter.empty());
}

TEST_CASE("a rename removes one name and takes another") {
  const auto paths = learn::path_arguments(call_of(__NR_renameat2, 3, 0x1000, 4));
  REQUIRE(paths.size() == 2);
  CHECK(paths[0].intent == learn::PathArgument::Intent::remove);
  CHECK(paths[1].intent == learn::PathArgument::Intent::replace);
  CHECK(paths[1].directory == 4);
}

TEST_CASE("a directory stands for its entries from 16 on, and the top never does") {
  rules::Rules rules;
  for (int i = 0; i < 15; ++i) rules.paths.push_back(reading({"/a/" + std::to_string(i)}).paths[0]);
  rules::fold(rules, {});
  CHECK(rules.paths.size() == 15);
  rules.paths.push_back(reading({"/a/b/c"}).paths[0]);
  rules::fold(rules, {});
  REQUIRE(rules.paths.size() == 1);
  CHECK(rules.paths[0].path == "/a");
  CHECK(rules.paths[0].below);
  for (int i = 0; i < 20; ++i) rules.paths.push_back(reading({"/" + std::to_string(i)}).paths[0]);
  rules::fold(rules, {});
  CHECK(rules.paths.size() == 21);
}

TEST_CASE("rules refuse what they do not name, and merging them with it allows it") {
  rules::Rules known = reading({"/a"}), needed = reading({"/b"});
  needed.system_calls.push_back(
      {"ioctl", {{1, {0xffffffff, ""}, {{0x5401, "TCGETS"}}}}, {{"b"}, 2}});
  known.system_calls.push_back({"ioctl", {{1, {0xffffffff, ""}, {{0x541b, ""}}}}, {{"a"}, 1}});
  CHECK(rules::refusals(known, needed).size() == 2);
  rules::merge(known, needed);
  CHECK(rules::refusals(known, needed).empty());
  CHECK(known.system_calls.size() == 1);
  CHECK(known.system_calls[0].arguments[0].values.size() == 2);
}
