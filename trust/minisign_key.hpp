// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace rootlet::trust {

// Ed25519 keys as minisign keeps them, byte for byte: what minisign(1) wrote is
// read here, and the other way round. Layouts: minisign's own documentation.

using KeyId = std::array<unsigned char, 8>;

// As minisign prints it: 16 hexadecimal digits, the last byte first.
std::string id_text(const KeyId& id);

struct PublicKey {
  KeyId id{};
  std::array<unsigned char, 32> point{};

  bool operator==(const PublicKey&) const = default;
  std::string base64() const;     // "RWQ...", what `minisign -P` takes
  std::string file_text() const;  // what minisign writes as minisign.pub
};

// The two lines of a minisign.pub, or its second line alone.
Result<PublicKey> parse_public_key(std::string_view text, const std::string& name);

// Where a passphrase comes from; asked only when a key has one.
using AskPassphrase = std::function<Result<std::string>()>;

// Its bytes are wiped when it goes.
class SecretKey {
 public:
  static SecretKey generate();
  // Errors: no key, a wrong passphrase, too little memory to try one (minisign's
  // keys want 1 GiB for it).
  static Result<SecretKey> parse(std::string_view text, const std::string& name,
                                 const AskPassphrase& ask);
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&&) = delete;
  ~SecretKey();

  PublicKey public_key() const;
  // What minisign writes as minisign.key; an empty passphrase: not encrypted,
  // as `minisign -W` has it.
  Result<std::string> file_text(const std::string& passphrase) const;

  const KeyId& id() const { return id_; }
  const std::array<unsigned char, 64>& bytes() const { return bytes_; }  // libsodium's form

 private:
  SecretKey() = default;
  std::array<unsigned char, 32> checksum() const;

  KeyId id_{};
  std::array<unsigned char, 64> bytes_{};
};

}  // namespace rootlet::trust
