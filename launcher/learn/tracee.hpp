// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace rootlet::learn {

// Looks into a thread that is stopped in a call. `tid` is its number as the watcher
// sees it. What is read there may be changed by the tool's other threads before
// the kernel reads it: good to learn from, never to decide by.

// Text up to its NUL; nothing where it cannot be read or is longer than a path may be.
std::optional<std::string> text_at(pid_t tid, std::uint64_t address);
// `size` bytes; false where not all can be read.
bool bytes_at(pid_t tid, std::uint64_t address, void* into, std::size_t size);

// What /proc/TID/NAME links to, empty where there is nothing.
std::string link_of(pid_t tid, const std::string& name);

// The facts of a new thread.
struct ThreadFacts {
  pid_t process = 0, parent = 0;  // as the watcher sees them
  int inside = 0;                 // its process as the tool sees it
};
std::optional<ThreadFacts> facts_of(pid_t tid);

// Most bytes of memory that the process had at a time; 0 when it is gone.
std::uint64_t peak_memory(pid_t pid);

}  // namespace rootlet::learn
