// SPDX-License-Identifier: MIT
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <vector>

namespace rootlet::learn {

// Which calls stop for the watcher.
enum class Detail {
  deciding,  // all but those that touch only memory, clocks and what is open already
  all
};

// The calls that `deciding` leaves alone. Rules made from such a run allow them.
std::span<const std::uint32_t> quiet_calls();

// The filter of a watched tool. `message`: the address of the one sendmsg(2) message
// that passes unseen: it carries the listener to the watcher, who cannot answer before.
std::vector<sock_filter> watch_filter(Detail detail, std::uint64_t message);

// What a filter says to a call, SECCOMP_RET_*: the kernel's arithmetic on a program
// that the kernel took (linux/Documentation/networking/filter.rst). A program that does
// what ours never do is answered with SECCOMP_RET_KILL_PROCESS.
std::uint32_t verdict(std::span<const sock_filter> program, const seccomp_data& call);

}  // namespace rootlet::learn
