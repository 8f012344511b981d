// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// What the dynamic loader will ask of an ELF file.
struct ElfFile {
  std::uint16_t machine = 0;
  std::string interpreter;                  // PT_INTERP; empty: static, or a library
  std::vector<std::string> needed;          // DT_NEEDED
  std::vector<std::string> rpath, runpath;  // split at the colons, $ORIGIN as it is
  // What it says in its .note.dlopen that it loads while it runs: any one of
  // `names`. uapi-group.org/specifications, "ELF dlopen metadata".
  struct Dlopen {
    std::vector<std::string> names;
    std::string priority = "recommended";  // or "required", "suggested"
    std::string feature;
  };
  std::vector<Dlopen> dlopen;
};

// "x86-64", "aarch64", ... of an e_machine.
std::string machine_name(std::uint16_t machine);

// The name in an AppImage's file name: x86_64, aarch64.
std::string machine_file_name(std::uint16_t machine);

// Reads a node's ELF header and dynamic section; nullopt for a file that is no
// ELF. Of 32-bit and big-endian files only the machine is read, which is
// enough to refuse them. Every offset is checked: images come from anywhere.
Result<std::optional<ElfFile>> read_elf(const Node& node, const std::string& path);

}  // namespace rootlet::packaging
