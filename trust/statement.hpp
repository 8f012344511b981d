// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/payload/payload.hpp"
#include "runtime/payload/seal.hpp"
#include "trust/minisign_signature.hpp"

namespace rootlet::trust {

// What the maker of an image signs of it, where its bytes are not read for it: a
// text that names the digest of its seal, and by it every byte of the squashfs.
//
//   rootlet image 1
//   digest: sha256:9f86...
//   name: hmmer
//   version: 3.4
//   data: pfam sha256:60303...
//
// One line for each image of data that it pins; no line for what is unknown.
struct Statement {
  std::string digest, name, version;
  std::vector<std::string> data;  // "NAME DIGEST"

  std::string text() const;
};

// Errors: another text than text() makes of what it says.
Result<Statement> parse_statement(std::string_view text, const std::string& name);

// A seal's signature (Seal::signature): the statement, an empty line, and a
// signature of the statement in minisign's format.
struct SealSignature {
  Statement statement;
  Signature signature;

  std::string text() const;
};
Result<SealSignature> parse_seal_signature(std::string_view text, const std::string& name);

// Puts it into the seal of a squashfs; an empty text takes it out. The digest
// stays. Errors: too long, a file that cannot be written, no seal.
Status put_seal_signature(const Payload& payload, const std::string& text, const std::string& name);

// The first byte of the file that belongs neither to the image nor to its seal.
std::uint64_t end_of_seal(const Payload& payload, const Seal& seal);

}  // namespace rootlet::trust
