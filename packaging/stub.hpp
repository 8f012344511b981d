// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// The ELF program that goes in front of the image.
struct Stub {
  std::string bytes;
  std::uint16_t machine = 0;  // e_machine: the architecture the image must have
};

// Reads and checks it: an executable of 64 bits whose AppImage end is its own
// size, a multiple of 4096 (so that the image behind it is aligned to pages).
Result<Stub> read_stub(const std::string& path);

// Writes update information into the section .upd_info.
Status set_update_information(Stub& stub, const std::string& text);

// What is in a named section of an ELF file's bytes, NULs at the end removed;
// empty where there is no such section. For .upd_info and .sha256_sig.
std::string section_text(const std::string& elf, const std::string& name);

// `rootlet-stub` or another of our programs: beside the running command, else
// where it is installed. Empty: not there.
std::string find_own_file(const std::string& name);

// The command `rootlet`, to which this program belongs. Empty: not there.
std::string find_own_program();

}  // namespace rootlet::packaging
