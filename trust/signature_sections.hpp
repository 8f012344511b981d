// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "trust/content_hash.hpp"

namespace rootlet::trust {

// Where signatures lie inside an AppImage: two sections of the program in
// front (appimage 1.2). Offsets count from the start of the AppImage.
//
//   .sha256_sig   GPG's signature, armored, then zeros
//   .sig_key      GPG's public key, armored, then zeros; its last 1024 bytes
//                 are the slot: a signature in minisign's format, then zeros
//
// GPG signs the digest of the file with both sections as zeros, minisign the
// file with the slot as zeros: so the second covers the first, and each can be
// checked without the other.
struct SignatureSections {
  static constexpr std::uint64_t kSlot = 1024;

  ZeroRange gpg, gpg_key;  // length 0: the program has no such section

  bool can_hold_gpg() const { return gpg.length > 0 && gpg_key.length > 0; }
  bool can_hold_minisign() const { return gpg_key.length >= 2 * kSlot; }
  ZeroRange slot() const { return {gpg_key.offset + gpg_key.length - kSlot, kSlot}; }
};

// Reads the section table. A section counts only where it overlaps nothing and
// is no code: what is not hashed must not be able to do anything. Something
// other than ELF has no sections. Errors: a table that contradicts the file.
Result<SignatureSections> find_signature_sections(const FileRange& image, const std::string& name);

// The text at the start of a section, up to its first zero. Errors: something
// other than zeros follows, where a signature would not see it.
Result<std::string> text_in(const FileRange& image, const ZeroRange& where,
                            const std::string& name);

// The text and then zeros; into a file that may be written. Errors: too long.
Status put_text(const FileRange& image, const ZeroRange& where, const std::string& text,
                const std::string& name);

}  // namespace rootlet::trust
