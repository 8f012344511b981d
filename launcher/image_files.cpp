// SPDX-License-Identifier: MIT
#include "launcher/image_files.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "runtime/image/squashfs.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the image";
constexpr unsigned kSeconds = 20;
[[maybe_unused]] constexpr rlim_t kMemory = rlim_t{1} << 30;

// Between the child and us: texts, each behind its length.
void put_text(std::string& out, const std::string& text) {
  const std::uint64_t size = text.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
}

std::optional<std::string> take_text(std::string_view& in) {
  std::uint64_t size = 0;
  if (in.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, in.data(), sizeof size);
  in.remove_prefix(sizeof size);
  if (size > in.size()) return std::nullopt;
  std::string text(in.substr(0, size));
  in.remove_prefix(size);
  return text;
}

// "+" and the bytes, or "" where the image lacks the file.
Result<std::string> optional_file(image::Squashfs& image, const std::string& path) {
  if (path.empty()) return std::string();
  const auto text = TRY(image.read_file(path, kPolicyMaximum));
  return text ? "+" + *text : std::string();
}

// The name of the first desktop file in the root directory, or empty.
Result<std::string> find_desktop_file(image::Squashfs& image, const std::string& name) {
  const Error damaged = plain_error(kRead, name, "its root directory cannot be read");
  sqfs_inode root;
  sqfs_dir directory;
  if (::sqfs_inode_get(image.raw(), &root, ::sqfs_inode_root(image.raw())) != SQFS_OK ||
      ::sqfs_dir_open(image.raw(), &root, &directory, 0) != SQFS_OK) {
    return damaged;
  }
  sqfs_name buffer;
  sqfs_dir_entry entry;
  ::sqfs_dentry_init(&entry, buffer);
  sqfs_err error = SQFS_OK;
  while (::sqfs_dir_next(image.raw(), &directory, &entry, &error)) {
    const std::string found(::sqfs_dentry_name(&entry), ::sqfs_dentry_name_size(&entry));
    if (found.ends_with(".desktop")) return found;
  }
  if (error != SQFS_OK) return damaged;
  return std::string();
}

Result<std::vector<std::string>> read_here(const Payload& payload, const std::string& name) {
  image::Squashfs image = TRY(image::Squashfs::open(payload, name));
  const std::string desktop = TRY(find_desktop_file(image, name));
  return std::vector<std::string>{TRY(optional_file(image, std::string(kPolicyPath))),
                                  TRY(optional_file(image, ".rootlet/policy.toml")),
                                  TRY(optional_file(image, desktop))};
}

[[noreturn]] void run_child(int out, const Payload& payload, const std::string& name) {
  ::alarm(kSeconds);
#ifndef __SANITIZE_ADDRESS__  // its shadow memory alone takes terabytes of addresses
  const struct rlimit memory { kMemory, kMemory };
  ::setrlimit(RLIMIT_AS, &memory);
#endif
  const struct rlimit core { 0, 0 };
  ::setrlimit(RLIMIT_CORE, &core);
  const auto files = read_here(payload, name);
  std::string message;
  if (files.ok()) {
    put_text(message, "files");
    for (const std::string& file : files.value()) put_text(message, file);
  } else {
    put_text(message, "error");
    put_text(message, files.error().subject);
    put_text(message, files.error().reason);
    put_text(message, files.error().hint);
  }
  for (std::string_view rest = message; !rest.empty();) {
    const ssize_t put = ::write(out, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) ::_exit(1);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  ::_exit(0);
}

std::string read_all(int fd) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<ImageFiles> decode(std::string_view message, const std::string& name) {
  const auto kind = take_text(message);
  const auto first = take_text(message), second = take_text(message), third = take_text(message);
  if (!third) {
    return plain_error(kRead, name, "it cannot be read through, its tables make no sense",
                       "the file is damaged or built to do harm; do not run it");
  }
  if (*kind == "error") return plain_error(kRead, *first, *second, *third);
  const auto file = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text.substr(1));
  };
  return ImageFiles{file(*first), file(*second), file(*third)};
}

}  // namespace

Result<ImageFiles> read_image_files(const Payload& payload, const std::string& name) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return last_error(kRead, name);
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return last_error(kRead, name);
  if (child == 0) run_child(out.get(), payload, name);
  out.reset();
  const std::string message = read_all(in.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return decode(message, name);
}

}  // namespace rootlet
