// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet::trust {

// What one binary public key of GPG's says of itself. Read here, because gpg
// wants a home directory to write to before it tells.
struct PgpKey {
  std::string fingerprint;  // version 4: 40 hexadecimal digits
  std::string user;         // its first user id; may be empty
};
// Errors: no public key, several, or one of another version than 4 (which the
// gpgv of Debian 12 does not read either).
Result<PgpKey> describe_pgp_key(const std::string& bytes, const std::string& name);

}  // namespace rootlet::trust
