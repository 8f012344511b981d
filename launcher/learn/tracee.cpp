// SPDX-License-Identifier: MIT
#include "launcher/learn/tracee.hpp"

#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runtime/os/fd.hpp"

namespace rootlet::learn {
namespace {

constexpr std::uint64_t kPage = 4096;

// The number behind a key of /proc/TID/status, the last one of the line.
long number_of(const std::string& status, const char* key) {
  const std::size_t at = status.find(key);
  if (at == std::string::npos) return 0;
  const std::size_t end = std::min(status.find('\n', at + 1), status.size());
  const std::size_t tab = status.find_last_of('\t', end);
  return std::strtol(status.c_str() + tab + 1, nullptr, 10);
}

}  // namespace

bool bytes_at(pid_t tid, std::uint64_t address, void* into, std::size_t size) {
  const iovec here{into, size};
  const iovec there{reinterpret_cast<void*>(address), size};
  return ::process_vm_readv(tid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

std::optional<std::string> text_at(pid_t tid, std::uint64_t address) {
  std::string text;
  char piece[256];
  while (text.size() < PATH_MAX) {
    // Never across a page in one go: the next one need not be there.
    const std::size_t size = std::min<std::uint64_t>(sizeof piece, kPage - address % kPage);
    if (!bytes_at(tid, address, piece, size)) return {};
    const auto* end = static_cast<const char*>(std::memchr(piece, 0, size));
    if (end != nullptr) return text.append(piece, static_cast<std::size_t>(end - piece));
    text.append(piece, size);
    address += size;
  }
  return {};
}

std::string link_of(pid_t tid, const std::string& name) {
  char text[PATH_MAX];
  const std::string path = "/proc/" + std::to_string(tid) + "/" + name;
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

std::optional<ThreadFacts> facts_of(pid_t tid) {
  auto status = os::read_file(AT_FDCWD, "/proc/" + std::to_string(tid) + "/status", 8192);
  if (!status.ok() || status.value().empty()) return {};
  const std::string& text = status.value();
  ThreadFacts facts;
  facts.process = static_cast<pid_t>(number_of(text, "\nTgid:"));
  facts.parent = static_cast<pid_t>(number_of(text, "\nPPid:"));
  // In each PID namespace, the watcher's first (Linux 4.1, proc(5)).
  facts.inside = static_cast<int>(number_of(text, "\nNStgid:"));
  return facts;
}

std::uint64_t peak_memory(pid_t pid) {
  auto status = os::read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/status", 8192);
  if (!status.ok()) return 0;
  return static_cast<std::uint64_t>(number_of(status.value(), "\nVmHWM:")) * 1024;
}

}  // namespace rootlet::learn
