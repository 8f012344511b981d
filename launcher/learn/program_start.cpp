// SPDX-License-Identifier: MIT
#include "launcher/learn/program_start.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace rootlet::learn {
namespace {

// The kernel's BINPRM_BUF_SIZE: a longer first line is cut (execve(2), Linux 5.1).
constexpr std::size_t kLongestLine = 256;

std::string interpreter_of(std::string_view head) {
  std::string_view line = head.substr(2, kLongestLine - 2);
  line = line.substr(0, line.find('\n'));
  const std::size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos) return "";
  line.remove_prefix(start);
  return std::string(line.substr(0, line.find_first_of(" \t\0")));
}

std::string loader_of(std::string_view head) {
  Elf64_Ehdr header;
  if (head.size() < sizeof header) return "";
  std::memcpy(&header, head.data(), sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr)) return "";
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    if (header.e_phoff > head.size() || header.e_phoff + (i + 1) * sizeof part > head.size()) break;
    std::memcpy(&part, head.data() + header.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type != PT_INTERP) continue;
    if (part.p_offset >= head.size() || part.p_filesz > head.size() - part.p_offset) break;
    const std::string_view text = head.substr(part.p_offset, part.p_filesz);
    return std::string(text.substr(0, text.find('\0')));
  }
  return "";
}

}  // namespace

ProgramStart program_start(std::string_view head) {
  if (head.starts_with("#!")) return {interpreter_of(head), ""};
  if (head.starts_with("\x7f"
                       "ELF"))
    return {"", loader_of(head)};
  return {};
}

}  // namespace rootlet::learn
