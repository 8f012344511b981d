// SPDX-License-Identifier: MIT
#include "runtime/sandbox/first_look.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <span>
#include <string_view>

#include "runtime/sandbox/resolve.hpp"

namespace rootlet::sandbox {
namespace {

// Of a question to a FUSE server; two of them hold a whole loader.
constexpr std::size_t kQuestion = 128u << 10;

// The regular file at `path`, of which the kernel reads the beginning meanwhile. An image
// may have anything there, a FIFO too: opening never waits.
os::Fd begin_to_read(int root, const std::string& path, std::size_t size) {
  auto file = resolve_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file.ok() || ::fstat(file.value().get(), &status) != 0) return {};
  if (!S_ISREG(status.st_mode)) return {};
  ::readahead(file.value().get(), 0, size);
  return std::move(file).value();
}

// An object of that type at `offset` of what was read, if it is all there.
template <class Type>
bool take(std::span<const char> head, std::uint64_t offset, Type& out) {
  if (offset > head.size() || head.size() - offset < sizeof out) return false;
  std::memcpy(&out, head.data() + offset, sizeof out);
  return true;
}

// What an ELF file names in PT_INTERP (elf(5)); empty: nothing, or not in its beginning.
std::string loader_of(std::span<const char> head) {
  Elf64_Ehdr elf;
  if (!take(head, 0, elf) || std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) return "";
  if (elf.e_ident[EI_CLASS] != ELFCLASS64) return "";
  for (std::uint64_t i = 0; i < elf.e_phnum; ++i) {
    Elf64_Phdr part;
    if (!take(head, elf.e_phoff + i * sizeof part, part)) return "";
    if (part.p_type != PT_INTERP) continue;
    if (part.p_offset > head.size() || head.size() - part.p_offset < part.p_filesz) return "";
    const std::string_view name(head.data() + part.p_offset, part.p_filesz);
    return std::string(name.substr(0, name.find('\0')));
  }
  return "";
}

// What a script names behind "#!" (execve(2)).
std::string interpreter_of(std::string_view head) {
  if (!head.starts_with("#!")) return "";
  const std::size_t start = head.find_first_not_of(" \t", 2);
  if (start == std::string_view::npos) return "";
  return std::string(head.substr(start, head.find_first_of(" \t\n", start) - start));
}

}  // namespace

void look_at_program(int root, const std::string& program) {
  if (program.find('/') == std::string::npos) return;
  const os::Fd file = begin_to_read(root, program, kQuestion);
  if (!file.valid()) return;
  char head[1024];
  const ssize_t got = ::pread(file.get(), head, sizeof head, 0);
  if (got <= 0) return;
  const std::span<const char> read(head, static_cast<std::size_t>(got));
  std::string next = loader_of(read);
  if (next.empty()) next = interpreter_of({read.data(), read.size()});
  if (next.starts_with('/')) (void)begin_to_read(root, next, 2 * kQuestion);
}

}  // namespace rootlet::sandbox
