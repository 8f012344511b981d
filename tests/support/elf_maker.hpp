// SPDX-License-Identifier: MIT
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <vector>

namespace rootlet::test {

// Bytes of an ELF file that says what a test wants it to say; it cannot run.
struct ElfMaker {
  std::uint16_t machine = EM_X86_64;
  std::string interpreter = "";
  std::vector<std::string> needed = {};
  std::string rpath = "", runpath = "";

  std::string make() const {
    constexpr std::size_t kHeaders = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
    std::string strings(1, '\0');
    std::vector<Elf64_Dyn> dynamic;
    const auto add = [&](std::int64_t tag, const std::string& text) {
      Elf64_Dyn entry{};
      entry.d_tag = tag;
      entry.d_un.d_val = strings.size();
      strings += text + '\0';
      dynamic.push_back(entry);
    };
    for (const std::string& name : needed) add(DT_NEEDED, name);
    if (!rpath.empty()) add(DT_RPATH, rpath);
    if (!runpath.empty()) add(DT_RUNPATH, runpath);
    // The one segment maps the file as it is: address and offset are equal.
    const std::size_t strings_at = kHeaders + interpreter.size() + 1;
    const std::size_t dynamic_at = strings_at + strings.size();
    dynamic.push_back({DT_STRTAB, {strings_at}});
    dynamic.push_back({DT_STRSZ, {strings.size()}});
    dynamic.push_back({DT_NULL, {0}});
    const std::size_t size = dynamic_at + dynamic.size() * sizeof(Elf64_Dyn);

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_machine = machine;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 3;
    Elf64_Phdr segments[3]{};
    segments[0] = {PT_LOAD, PF_R, 0, 0, 0, size, size, 4096};
    segments[1].p_type = interpreter.empty() ? PT_NULL : PT_INTERP;
    segments[1].p_offset = kHeaders;
    segments[1].p_filesz = interpreter.size() + 1;
    segments[2].p_type = needed.empty() && rpath.empty() && runpath.empty() ? PT_NULL : PT_DYNAMIC;
    segments[2].p_offset = dynamic_at;
    segments[2].p_filesz = dynamic.size() * sizeof(Elf64_Dyn);

    std::string out(reinterpret_cast<const char*>(&header), sizeof header);
    out.append(reinterpret_cast<const char*>(segments), sizeof segments);
    out += interpreter + '\0' + strings;
    out.append(reinterpret_cast<const char*>(dynamic.data()), dynamic.size() * sizeof(Elf64_Dyn));
    return out;
  }
};

}  // namespace rootlet::test
