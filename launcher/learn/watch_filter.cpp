// SPDX-License-Identifier: MIT
#include "launcher/learn/watch_filter.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>

#include "runtime/sandbox/filter_program.hpp"

namespace rootlet::learn {
namespace {

// Each costs the tool two switches of context where it stops (decision 0048), and
// tools make them by the million.
constexpr std::uint32_t kQuiet[] = {
    __NR_read,         __NR_write,          __NR_pread64,      __NR_pwrite64,
    __NR_readv,        __NR_writev,         __NR_lseek,        __NR_close,
    __NR_fstat,        __NR_mmap,           __NR_munmap,       __NR_mremap,
    __NR_mprotect,     __NR_madvise,        __NR_brk,          __NR_futex,
    __NR_sched_yield,  __NR_getpid,         __NR_gettid,       __NR_clock_gettime,
    __NR_gettimeofday, __NR_nanosleep,      __NR_poll,         __NR_clock_nanosleep,
    __NR_ppoll,        __NR_select,         __NR_pselect6,     __NR_epoll_wait,
    __NR_epoll_pwait,  __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_restart_syscall,
    __NR_getrandom,    __NR_times,          __NR_getrusage,    __NR_fadvise64,
};

constexpr std::size_t kArgument1 = offsetof(seccomp_data, args) + sizeof(std::uint64_t);

// With the call's number loaded, and still loaded behind it for all but sendmsg.
void let_message_pass(sandbox::Program& program, std::uint64_t message) {
  program.if_equal(__NR_sendmsg, 0, 6);
  program.load(kArgument1);
  program.if_equal(static_cast<std::uint32_t>(message), 0, 3);
  program.load(kArgument1 + 4);
  program.if_equal(static_cast<std::uint32_t>(message >> 32), 0, 1);
  program.give(SECCOMP_RET_ALLOW);
  program.give(SECCOMP_RET_USER_NOTIF);
}

}  // namespace

std::span<const std::uint32_t> quiet_calls() { return kQuiet; }

std::vector<sock_filter> watch_filter(Detail detail, std::uint64_t message) {
  sandbox::Program program;
  program.load(offsetof(seccomp_data, arch));
  program.if_equal(sandbox::kArchitecture, 1);
  program.give(SECCOMP_RET_USER_NOTIF);  // a call by another door: told, then killed
  program.load(offsetof(seccomp_data, nr));
  let_message_pass(program, message);
  if (detail == Detail::deciding) {
    for (const std::uint32_t number : kQuiet) {
      const bool executable = number == __NR_mmap || number == __NR_mprotect;
      if (executable) {
        program.if_equal(number, 0, 4);
        program.load_argument(2);
        program.put(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
        program.give(SECCOMP_RET_ALLOW);
        program.give(SECCOMP_RET_USER_NOTIF);
      } else {
        program.if_equal(number, 0, 1);
        program.give(SECCOMP_RET_ALLOW);
      }
    }
  }
  program.give(SECCOMP_RET_USER_NOTIF);
  return program.code();
}

namespace {

// The two registers and the scratch memory of classic BPF.
class Machine {
 public:
  explicit Machine(const seccomp_data& call) { std::memcpy(data_, &call, sizeof call); }

  std::uint32_t run(std::span<const sock_filter> program) {
    for (std::size_t at = 0; at < program.size(); ++at) {
      const sock_filter& step = program[at];
      if (BPF_CLASS(step.code) == BPF_RET) return BPF_RVAL(step.code) == BPF_A ? a_ : step.k;
      if (BPF_CLASS(step.code) == BPF_JMP) {
        at += BPF_OP(step.code) == BPF_JA ? step.k : holds(step) ? step.jt : step.jf;
      } else if (!move(step)) {
        break;
      }
    }
    return SECCOMP_RET_KILL_PROCESS;
  }

 private:
  std::uint32_t operand(const sock_filter& step) const {
    return BPF_SRC(step.code) == BPF_X ? x_ : step.k;
  }

  bool holds(const sock_filter& step) const {
    switch (BPF_OP(step.code)) {
      case BPF_JEQ: return a_ == operand(step);
      case BPF_JGT: return a_ > operand(step);
      case BPF_JGE: return a_ >= operand(step);
      default: return (a_ & operand(step)) != 0;
    }
  }

  bool move(const sock_filter& step) {
    switch (BPF_CLASS(step.code)) {
      case BPF_LD: return load(step, a_);
      case BPF_LDX: return load(step, x_);
      case BPF_ST: return store(step, a_);
      case BPF_STX: return store(step, x_);
      case BPF_ALU: return reckon(step);
      default:
        (BPF_MISCOP(step.code) == BPF_TAX ? x_ : a_) = BPF_MISCOP(step.code) == BPF_TAX ? a_ : x_;
    }
    return true;
  }

  bool load(const sock_filter& step, std::uint32_t& into) {
    switch (BPF_MODE(step.code)) {
      case BPF_IMM: into = step.k; return true;
      case BPF_MEM: into = memory_[step.k % BPF_MEMWORDS]; return true;
      case BPF_LEN: into = sizeof(seccomp_data); return true;
      default: break;
    }
    if (step.k > sizeof data_ - sizeof into) return false;
    std::memcpy(&into, data_ + step.k, sizeof into);
    return true;
  }

  bool store(const sock_filter& step, std::uint32_t value) {
    memory_[step.k % BPF_MEMWORDS] = value;
    return true;
  }

  bool reckon(const sock_filter& step) {
    const std::uint32_t with = operand(step);
    switch (BPF_OP(step.code)) {
      case BPF_ADD: a_ += with; return true;
      case BPF_SUB: a_ -= with; return true;
      case BPF_AND: a_ &= with; return true;
      case BPF_OR: a_ |= with; return true;
      case BPF_XOR: a_ ^= with; return true;
      case BPF_LSH: a_ = with < 32 ? a_ << with : 0; return true;
      case BPF_RSH: a_ = with < 32 ? a_ >> with : 0; return true;
      case BPF_NEG: a_ = -a_; return true;
      default: return false;
    }
  }

  unsigned char data_[sizeof(seccomp_data)];
  std::uint32_t a_ = 0, x_ = 0;
  std::uint32_t memory_[BPF_MEMWORDS] = {};
};

}  // namespace

std::uint32_t verdict(std::span<const sock_filter> program, const seccomp_data& call) {
  return Machine(call).run(program);
}

}  // namespace rootlet::learn
