// SPDX-License-Identifier: MIT
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstddef>
#include <vector>

#include "runtime/sandbox/filter_rules.hpp"

// From the table to a program for the kernel, at compile time: the stub carries
// the program alone.
namespace rootlet::sandbox {

constexpr std::uint32_t fail_with(std::uint32_t code) { return SECCOMP_RET_ERRNO | code; }

// Classic BPF, emitted front to back; jumps count instructions forward.
class Program {
 public:
  constexpr void put(int code, std::uint32_t k, std::size_t jump_true = 0,
                     std::size_t jump_false = 0) {
    if (jump_true > 0xff || jump_false > 0xff) __builtin_trap();  // does not compile then
    code_.push_back(sock_filter{static_cast<std::uint16_t>(code),
                                static_cast<std::uint8_t>(jump_true),
                                static_cast<std::uint8_t>(jump_false), k});
  }
  constexpr void load(std::size_t offset) {
    put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  // The low half of an argument. The kernel's ioctl and socket take an int, so a
  // comparison of all 64 bits would let TIOCSTI | 1<<32 through (CVE-2019-10063).
  constexpr void load_argument(std::size_t index) {
    load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
  }
  constexpr void give(std::uint32_t action) { put(BPF_RET | BPF_K, action); }
  // if (A == k) skip `equal` instructions, else `other`.
  constexpr void if_equal(std::uint32_t k, std::size_t equal, std::size_t other = 0) {
    put(BPF_JMP | BPF_JEQ | BPF_K, k, equal, other);
  }
  constexpr void append(const Program& other) {
    code_.insert(code_.end(), other.code_.begin(), other.code_.end());
  }
  constexpr const std::vector<sock_filter>& code() const { return code_; }

 private:
  std::vector<sock_filter> code_;
};

constexpr void check_request(Program& program) {
  program.load_argument(1);
  program.if_equal(TIOCSTI, 3);    // types into the caller's terminal
  program.if_equal(TIOCLINUX, 2);  // the same on a virtual console
  program.if_equal(TIOCSETD, 1);   // a line discipline that outlives the run
  program.give(SECCOMP_RET_ALLOW);
  program.give(fail_with(EPERM));
}

// What programs use; each other family is a module that the kernel would load
// for whoever asks.
constexpr void check_family(Program& program) {
  constexpr std::uint32_t kTypes = 0xf;  // SOCK_TYPE_MASK of the kernel
  program.load_argument(0);
  program.if_equal(AF_UNIX, 3);
  program.if_equal(AF_INET, 2);
  program.if_equal(AF_INET6, 1);
  program.if_equal(AF_NETLINK, 0, 4);
  program.load_argument(1);
  program.put(BPF_ALU | BPF_AND | BPF_K, kTypes);
  program.if_equal(SOCK_PACKET, 1);  // of AF_INET it is AF_PACKET under its old name
  program.give(SECCOMP_RET_ALLOW);
  program.give(fail_with(EAFNOSUPPORT));
}

constexpr void check_target(Program& program, std::uint32_t one_process) {
  program.load_argument(0);
  program.if_equal(one_process, 1);
  program.give(fail_with(EPERM));
  program.give(SECCOMP_RET_ALLOW);
}

constexpr Program leaf(const Rule& rule) {
  constexpr std::uint32_t kIoPriorityOfProcess = 1;  // IOPRIO_WHO_PROCESS, ioprio_set(2)
  Program program;
  switch (rule.check) {
    case Check::none: program.give(fail_with(rule.code)); break;
    case Check::ioctl_request: check_request(program); break;
    case Check::socket_family: check_family(program); break;
    case Check::priority: check_target(program, PRIO_PROCESS); break;
    case Check::io_priority: check_target(program, kIoPriorityOfProcess); break;
  }
  return program;
}

// From `number` up to the next one the same thing happens.
struct Range {
  std::uint32_t number;
  Program action;
};

constexpr std::vector<Range> ranges() {
  std::vector<Range> all;
  bool allowing = false, refusing = false;
  for (std::uint32_t number = 0; number <= kLastKnown + 1; ++number) {
    const Rule* found = nullptr;
    for (const Rule& rule : kRules) found = rule.number == number ? &rule : found;
    const bool unknown = (number >= kGap && number < kCommon) || number > kLastKnown;
    if (found != nullptr) {
      all.push_back({number, leaf(*found)});
    } else if (unknown ? !refusing : !allowing) {
      Program program;
      program.give(unknown ? fail_with(ENOSYS) : std::uint32_t{SECCOMP_RET_ALLOW});
      all.push_back({number, program});
    }
    allowing = found == nullptr && !unknown;
    refusing = found == nullptr && unknown;
  }
  return all;
}

// A balanced tree: when a filter is attached the kernel runs it once for every
// system call to learn which are always allowed (Linux 5.11), so its depth
// counts at every start.
constexpr Program tree(const std::vector<Range>& all, std::size_t first, std::size_t last) {
  if (last - first == 1) return all[first].action;
  const std::size_t middle = first + (last - first) / 2;
  const Program left = tree(all, first, middle);
  Program program;
  program.put(BPF_JMP | BPF_JGE | BPF_K, all[middle].number, left.code().size(), 0);
  program.append(left);
  program.append(tree(all, middle, last));
  return program;
}

constexpr std::vector<sock_filter> compile_rules() {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.if_equal(kArchitecture, 1);
  // A call by another door (int 0x80): its numbers mean something else.
  program.give(SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(seccomp_data, nr));
  // Beyond the last known one, and so ENOSYS, are the x32 calls, too: their
  // numbers begin at 0x40000000.
  const std::vector<Range> all = ranges();
  program.append(tree(all, 0, all.size()));
  return program.code();
}

}  // namespace rootlet::sandbox
