// SPDX-License-Identifier: MIT
#include "runtime/sandbox/rule_filter.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "runtime/rules/call_names.hpp"
#include "runtime/sandbox/seccomp.hpp"

using rootlet::Rules;
using namespace rootlet::sandbox;

namespace {

// The errno of a call under the rules; 0: it is allowed.
template <typename Call>
int under(const std::vector<Rules>& all, const RuleFilterUse& use, Call call) {
  const auto program = compile_filter(all, use);
  REQUIRE(program.ok());
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (raw_filter(program.value(), false) != 0) ::_exit(255);
    errno = 0;
    ::_exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Rules some() {
  Rules rules;
  rules.error = ENOTTY;
  for (const char* name : {"write", "openat", "truncate"}) {
    rules.calls.push_back({*rootlet::call_number(name), {}});
  }
  // Two alternatives, one of two conditions.
  rules.calls.push_back({SYS_fcntl, {{1, 0xffffffff, {F_GETFD}}}});
  rules.calls.push_back({SYS_fcntl, {{1, 0xffffffff, {F_SETFD}}, {2, FD_CLOEXEC, {FD_CLOEXEC}}}});
  return rules;
}

}  // namespace

TEST_CASE("rules allow what they name and refuse the rest with their errno") {
  const Rules rules = some();
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_write, 2, "", 0); }) == 0);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_getpid); }) == ENOTTY);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_fcntl, 2, F_GETFD); }) == 0);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_fcntl, 2, F_SETFD, 1); }) == 0);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_fcntl, 2, F_SETFD, 0); }) == ENOTTY);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_fcntl, 2, F_GETFL); }) == ENOTTY);
  // Of an argument the kernel takes 32 bits, and so do rules (CVE-2019-10063).
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_fcntl, 2, F_GETFL | 1l << 32); }) == ENOTTY);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_clone3, nullptr, 0); }) == ENOSYS);
  CHECK(under({rules}, {}, [] { return ::syscall(4000); }) == ENOSYS);
}

TEST_CASE("of two files of rules both hold") {
  Rules other = some();
  other.error = ENXIO;
  other.calls[3].conditions[0].values = {F_GETFL};
  other.calls.push_back({SYS_getpid, {}});
  const auto both = [&](auto call) { return under({some(), other}, {}, call); };
  CHECK(both([] { return ::syscall(SYS_write, 2, "", 0); }) == 0);
  CHECK(both([] { return ::syscall(SYS_fcntl, 2, F_SETFD, 1); }) == 0);
  CHECK(both([] { return ::syscall(SYS_fcntl, 2, F_GETFD); }) == ENXIO);
  CHECK(both([] { return ::syscall(SYS_fcntl, 2, F_GETFL); }) == ENOTTY);
  CHECK(both([] { return ::syscall(SYS_getpid); }) == ENOTTY);
}

TEST_CASE("rules that kill end the process that breaks them") {
  Rules rules = some();
  rules.action = Rules::Action::kill;
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_getpid); }) == -SIGSYS);
}

TEST_CASE("where Landlock knows no truncation the filter refuses to shorten files by name") {
  const RuleFilterUse use{.truncation = true};
  const Rules rules = some();
  const auto open_with = [](int flags) {
    return [flags] { return ::syscall(SYS_openat, AT_FDCWD, "/dev/null", flags); };
  };
  CHECK(under({rules}, use, [] { return ::syscall(SYS_truncate, "/dev/null", 0); }) == EACCES);
  CHECK(under({rules}, use, open_with(O_RDONLY | O_TRUNC)) == EACCES);
  CHECK(under({rules}, use, open_with(O_WRONLY | O_TRUNC)) == 0);
  CHECK(under({rules}, use, open_with(O_RDONLY)) == 0);
}

TEST_CASE("a filter of many rules is a program that the kernel takes") {
  Rules rules;
  for (std::uint32_t number = 0; number < rootlet::kCallsEnd; number += 2) {
    if (rootlet::call_name(number).empty()) continue;
    Rules::Condition condition;
    for (std::uint32_t value = 0; value < 5; ++value) condition.values.push_back(value);
    rules.calls.push_back({number, {condition}});
  }
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_getuid, 4); }) == 0);
  CHECK(under({rules}, {}, [] { return ::syscall(SYS_getuid, 9); }) == EPERM);
}

TEST_CASE("a filter that is too long for the kernel is an error that says what to do") {
  Rules rules;
  Rules::Condition condition;
  condition.values.resize(3000);
  rules.calls.push_back({SYS_ioctl, {condition}});
  const auto program = compile_filter({rules}, {});
  REQUIRE_FALSE(program.ok());
  CHECK(program.error().hint.find("without its arguments") != std::string::npos);
}

TEST_CASE("the names of system calls are those that libseccomp knows") {
  for (std::uint32_t number = 0; number < 451; ++number) {
    char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
    const std::string ours(rootlet::call_name(number));
    if (name != nullptr) {
      CHECK(ours == name);
      CHECK(rootlet::call_number(name) == number);
    }
    ::free(name);
  }
}
