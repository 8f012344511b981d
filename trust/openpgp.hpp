// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::trust {

// Signatures of GPG's, by Debian's own gpg and gpgv: no code of ours reads them.

// The bytes in an ASCII armor (RFC 4880, 6.2), or the text itself where it has
// none. No value: an armor that is damaged.
std::optional<std::string> without_armor(const std::string& text);

struct PgpAnswer {
  enum class Kind {
    good,
    other_key,  // made with a key that none of the keyrings holds
    bad,        // not a signature of these bytes
    expired,    // the signature, or its key, by now
    revoked,    // the key
    unreadable
  };
  Kind kind = Kind::unreadable;
  std::string key;   // fingerprint, or at least the long id; may be empty
  std::string user;  // as the key calls itself; anybody can write anything there
};

// Whether `signature` (armored) is one of `message`, by a key of the keyrings
// (binary; each one key or several). Errors: no gpgv, or one that cannot run.
Result<PgpAnswer> check_pgp(const std::string& signature, const std::string& message,
                            const std::vector<std::string>& keyrings);

// Signs with the caller's gpg, agent and all. `key`: what gpg takes for -u;
// empty: gpg's default. `passphrase`: instead of the agent's question.
struct PgpSigned {
  std::string signature, key;  // armored
  std::string fingerprint;     // of the key, or of a subkey
};
Result<PgpSigned> sign_pgp(const std::string& message, const std::string& key,
                           const std::optional<std::string>& passphrase);

// The public key that gpg knows by this name, binary. Errors: none, or several.
Result<std::string> export_pgp(const std::string& key);

}  // namespace rootlet::trust
