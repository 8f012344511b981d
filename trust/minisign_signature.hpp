// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

#include "trust/content_hash.hpp"
#include "trust/minisign_key.hpp"

namespace rootlet::trust {

// A signature in minisign's format: four lines of text.
//
//   untrusted comment: anything, covered by nothing
//   base64("ED", key id, Ed25519 of the BLAKE2b-512 of the bytes)
//   trusted comment: anything, covered by the line below
//   base64(Ed25519 of the signature and the trusted comment)
struct Signature {
  bool prehashed = true;  // "ED"; false: "Ed", of the bytes themselves (minisign -l)
  KeyId key{};
  std::array<unsigned char, 64> bytes{}, global{};
  std::string untrusted_comment, trusted_comment;

  std::string text() const;
};
Result<Signature> parse_signature(std::string_view text, const std::string& name);

// Signs what hashes to `hash`. Control bytes of the comments, line ends among
// them, become blanks; a tab stays, by which minisign's own fields are apart.
Signature sign(const Blake2b& hash, const SecretKey& key, std::string trusted_comment,
               std::string untrusted_comment);

// Whether `key` made this signature of these bytes: of their hash, or of a
// legacy signature the bytes themselves. Both signatures have to hold.
bool is_good(const Signature& signature, const PublicKey& key,
             std::span<const unsigned char> message);

// The trusted comment alone, which holds whatever became of the signed bytes.
bool comment_is_good(const Signature& signature, const PublicKey& key);

// "FIELD:VALUE" in a trusted comment, fields being tabs apart: "timestamp",
// "file", "size", "name", "version".
std::optional<std::string> comment_field(const Signature& signature, std::string_view field);

}  // namespace rootlet::trust
