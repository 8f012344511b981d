// SPDX-License-Identifier: MIT
#include "runtime/stub/sections.hpp"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <cstring>

#include "runtime/os/fd.hpp"

// The places that tools of the AppImage world write to, in the order that
// they expect (reference: appimage.md 1.2). Read from the file, not from
// memory: a tool may have filled them after the link.
__asm__(
    ".pushsection .digest_md5,\"aR\",@progbits\n.balign 16\n.fill 16,1,0\n.popsection\n"
    ".pushsection .upd_info,\"aR\",@progbits\n.balign 16\n.fill 1024,1,0\n.popsection\n"
    ".pushsection .sha256_sig,\"aR\",@progbits\n.balign 16\n.fill 1024,1,0\n.popsection\n"
    ".pushsection .sig_key,\"aR\",@progbits\n.balign 16\n.fill 8192,1,0\n.popsection\n");

namespace rootlet {

Result<std::string> section_text(const std::string& section, const std::string& target_appimage) {
  constexpr std::string_view kRead = "read the file's sections";
  const std::string path = target_appimage.empty() ? "/proc/self/exe" : target_appimage;
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY));
  ElfW(Ehdr) header;
  const Error damaged = plain_error(kRead, path, "not a file of ours, or damaged");
  if (::pread(file.get(), &header, sizeof header, 0) != sizeof header ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_shentsize != sizeof(ElfW(Shdr)) || header.e_shstrndx >= header.e_shnum) {
    return damaged;
  }
  const auto section_at = [&](std::size_t index, ElfW(Shdr) & out) {
    const auto at = static_cast<off_t>(header.e_shoff + index * sizeof out);
    return ::pread(file.get(), &out, sizeof out, at) == sizeof out;
  };
  ElfW(Shdr) names;
  if (!section_at(header.e_shstrndx, names)) return damaged;
  for (std::size_t index = 0; index < header.e_shnum; ++index) {
    ElfW(Shdr) candidate;
    char name[32] = {};
    if (!section_at(index, candidate)) return damaged;
    const auto at = static_cast<off_t>(names.sh_offset + candidate.sh_name);
    if (::pread(file.get(), name, sizeof name - 1, at) <= 0 || section != name) continue;
    std::string text(std::min<std::size_t>(candidate.sh_size, 16384), '\0');
    if (::pread(file.get(), text.data(), text.size(), static_cast<off_t>(candidate.sh_offset)) <
        0) {
      return damaged;
    }
    return text.substr(0, text.find('\0'));
  }
  return plain_error(kRead, section, "the file has no such section");
}

}  // namespace rootlet
