// SPDX-License-Identifier: MIT
#include "runtime/sandbox/rule_filter.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>

#include "runtime/rules/call_names.hpp"
#include "runtime/sandbox/filter_program.hpp"

namespace rootlet::sandbox {
namespace {

// Whatever the rules say: to start a program (which ones, Landlock decides), to
// end, to return from a handler; and the vDSO's calls, which it makes on some
// machines and not on others.
constexpr std::uint32_t kAlways[] = {
    __NR_execve,        __NR_exit,         __NR_exit_group, __NR_rt_sigreturn, __NR_restart_syscall,
    __NR_clock_gettime, __NR_gettimeofday, __NR_getcpu,
#ifdef __NR_time
    __NR_time,
#endif
};

bool is_always(std::uint32_t number) {
  return std::find(std::begin(kAlways), std::end(kAlways), number) != std::end(kAlways);
}

void jump(Program& program, std::size_t distance) {
  program.put(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance));
}

class Compiler {
 public:
  Compiler(const std::vector<Rules>& all, const RuleFilterUse& use) : all_(all), use_(use) {}

  Result<std::vector<sock_filter>> compile() {
    for (std::uint32_t number = 0; number <= kCallsEnd; ++number) add(number);
    Program program;
    program.load(offsetof(seccomp_data, arch));
    program.if_equal(kArchitecture, 1);
    program.give(SECCOMP_RET_KILL_PROCESS);
    program.load(offsetof(seccomp_data, nr));
    program.append(tree(0, ranges_.size()));
    if (program.code().size() <= BPF_MAXINSNS) return program.code();
    return plain_error("compile the rules", all_.front().name,
                       "their arguments need a longer program than the kernel takes",
                       "allow a call with many values without its arguments");
  }

 private:
  // A leaf of more than one instruction stands alone; equal ones beside each other
  // are one.
  void add(std::uint32_t number) {
    Program program = leaf(number);
    const bool constant = program.code().size() == 1;
    const std::uint32_t action = program.code().back().k;
    if (constant && !ranges_.empty() && constant_ == action) return;
    constant_ = constant ? action : kMixed;
    ranges_.push_back({number, std::move(program)});
  }

  Program leaf(std::uint32_t number) const {
    Program guard, program;
    if (use_.truncation) guard_truncation(guard, number);
    if (call_name(number).empty()) {
      program.give(fail_with(ENOSYS));
    } else if (use_.paths_too && path_call(number) != nullptr) {
      program.give(SECCOMP_RET_USER_NOTIF);
    } else {
      program.give(SECCOMP_RET_ALLOW);
      if (!is_always(number)) {
        for (auto rules = all_.rbegin(); rules != all_.rend(); ++rules) {
          program = under(*rules, number, program);
        }
      }
    }
    guard.append(program);
    return guard;
  }

  std::uint32_t rest(const Rules& rules, std::uint32_t number, bool named) const {
    const bool log = rules.action == Rules::Action::log;
    // Libraries then use clone, whose flags can be checked.
    if (number == __NR_clone3 && !named && !log) return fail_with(ENOSYS);
    if (use_.tells) return SECCOMP_RET_USER_NOTIF;
    if (rules.action == Rules::Action::kill) return SECCOMP_RET_KILL_PROCESS;
    return log ? SECCOMP_RET_ALLOW : fail_with(rules.error);
  }

  // What one file of rules says of a call; `next` where it allows it. From the
  // back: what is in front jumps over what is known already.
  Program under(const Rules& rules, std::uint32_t number, const Program& next) const {
    bool named = false;
    Program program;
    program.give(0);
    for (const Rules::Call& call : rules.calls) {
      if (call.number != number) continue;
      if (call.conditions.empty()) return next;
      named = true;
      program = alternative(call, program);
    }
    Program whole;
    for (const sock_filter& line : program.code()) {
      const bool last = &line == &program.code().back();
      last ? whole.give(rest(rules, number, named))
           : whole.put(line.code, line.k, line.jt, line.jf);
    }
    if (!named) return whole;
    whole.append(next);
    return whole;
  }

  // Goes on behind `other` where all its conditions hold, else into it.
  Program alternative(const Rules::Call& call, const Program& other) const {
    Program after;
    jump(after, other.code().size());
    for (auto condition = call.conditions.rbegin(); condition != call.conditions.rend();
         ++condition) {
      Program one;
      one.load_argument(condition->index);
      if (condition->mask != 0xffffffff) one.put(BPF_ALU | BPF_AND | BPF_K, condition->mask);
      const std::size_t count = condition->values.size();
      for (std::size_t i = 0; i < count; ++i) {
        one.if_equal(condition->values[i], 0, 1);
        jump(one, 2 * (count - i) - 1);
      }
      jump(one, after.code().size());
      one.append(after);
      after = std::move(one);
    }
    after.append(other);
    return after;
  }

  // Before Landlock's ABI 3 truncate(2), and O_TRUNC without O_WRONLY, shorten a
  // file that may not be written (landlock(7)).
  void guard_truncation(Program& program, std::uint32_t number) const {
    int flags = number == __NR_openat ? 2 : -1;
#ifdef __NR_open
    if (number == __NR_open) flags = 1;
#endif
    if (number == __NR_truncate) program.give(fail_with(EACCES));
    if (number == __NR_openat2) program.give(fail_with(ENOSYS));
    if (flags < 0) return;
    program.load_argument(static_cast<std::size_t>(flags));
    program.put(BPF_ALU | BPF_AND | BPF_K, O_TRUNC | O_ACCMODE);
    program.if_equal(O_TRUNC, 0, 1);
    program.give(fail_with(EACCES));
  }

  // Balanced, as the default filter's: its depth counts at every start.
  Program tree(std::size_t first, std::size_t last) const {
    if (last - first == 1) return ranges_[first].action;
    const std::size_t middle = first + (last - first) / 2;
    const Program left = tree(first, middle);
    Program program;
    if (left.code().size() <= 0xff) {
      program.put(BPF_JMP | BPF_JGE | BPF_K, ranges_[middle].number, left.code().size(), 0);
    } else {
      program.put(BPF_JMP | BPF_JGE | BPF_K, ranges_[middle].number, 0, 1);
      jump(program, left.code().size());
    }
    program.append(left);
    program.append(tree(middle, last));
    return program;
  }

  static constexpr std::uint32_t kMixed = 0xffffffff;
  const std::vector<Rules>& all_;
  const RuleFilterUse& use_;
  std::uint32_t constant_ = kMixed;
  std::vector<Range> ranges_;
};

}  // namespace

Result<std::vector<sock_filter>> compile_filter(const std::vector<Rules>& all,
                                                const RuleFilterUse& use) {
  return Compiler(all, use).compile();
}

bool allows(const Rules& rules, std::uint32_t number, const std::uint64_t (&arguments)[6]) {
  if (is_always(number)) return true;
  for (const Rules::Call& call : rules.calls) {
    bool all = call.number == number;
    for (const Rules::Condition& condition : call.conditions) {
      const auto value = static_cast<std::uint32_t>(arguments[condition.index]) & condition.mask;
      all = all && std::find(condition.values.begin(), condition.values.end(), value) !=
                       condition.values.end();
    }
    if (all) return true;
  }
  return false;
}

}  // namespace rootlet::sandbox
