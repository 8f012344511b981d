// SPDX-License-Identifier: MIT
// Runs a filter as the kernel would.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstring>
#include <span>
#include <stdexcept>

inline bool bpf_jump(const sock_filter& step, std::uint32_t accumulator) {
  switch (BPF_OP(step.code)) {
    case BPF_JEQ: return accumulator == step.k;
    case BPF_JGT: return accumulator > step.k;
    case BPF_JGE: return accumulator >= step.k;
    case BPF_JSET: return (accumulator & step.k) != 0;
    default: throw std::runtime_error("a jump that is not known");
  }
}

inline std::uint32_t run_bpf(std::span<const sock_filter> program, const seccomp_data& call) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    if (step.code == (BPF_LD | BPF_W | BPF_ABS)) {
      std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + step.k, 4);
    } else if (step.code == (BPF_ALU | BPF_AND | BPF_K)) {
      accumulator &= step.k;
    } else if (step.code == (BPF_RET | BPF_K)) {
      return step.k;
    } else if (step.code == (BPF_JMP | BPF_JA)) {
      at += step.k;
    } else if (BPF_CLASS(step.code) == BPF_JMP && BPF_SRC(step.code) == BPF_K) {
      at += bpf_jump(step, accumulator) ? step.jt : step.jf;
    } else {
      throw std::runtime_error("an instruction that is not known");
    }
  }
  throw std::runtime_error("the program ends without an answer");
}
