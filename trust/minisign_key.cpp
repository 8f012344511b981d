// SPDX-License-Identifier: MIT
#include "trust/minisign_key.hpp"

#include <sodium.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "trust/base64.hpp"

namespace rootlet::trust {
namespace {

constexpr std::string_view kRead = "read the key";

// A public key: "Ed", id, point. A secret key, "encrypted" where the second
// pair is "Sc": what follows the limits is XORed with scrypt of the passphrase.
struct PublicFields {
  char algorithm[2];
  KeyId id;
  std::array<unsigned char, 32> point;
};
struct SecretFields {
  char algorithm[2], derivation[2], checksum_kind[2];
  unsigned char salt[32], operations[8], memory[8];
  struct {
    KeyId id;
    unsigned char key[64], checksum[32];
  } secret;
};
static_assert(sizeof(PublicFields) == 42 && sizeof(SecretFields) == 158);

constexpr std::size_t kMostMemory = std::size_t{8} << 30;

// The last line, without the comment in front of it.
std::string_view key_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? text : text.substr(end + 1);
}

template <typename Fields>
std::optional<Fields> decode(std::string_view text) {
  std::optional<std::string> bytes = from_base64(key_line(text));
  if (!bytes || bytes->size() != sizeof(Fields)) return std::nullopt;
  Fields fields;
  std::memcpy(&fields, bytes->data(), sizeof fields);
  ::sodium_memzero(bytes->data(), bytes->size());
  if (std::memcmp(fields.algorithm, "Ed", 2) != 0) return std::nullopt;
  return fields;
}

template <typename Fields>
std::string encode(const Fields& fields) {
  return to_base64({reinterpret_cast<const unsigned char*>(&fields), sizeof fields});
}

std::uint64_t little(const unsigned char (&bytes)[8]) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

void put_little(unsigned char (&bytes)[8], std::uint64_t value) {
  for (unsigned char& byte : bytes) {
    byte = static_cast<unsigned char>(value);
    value >>= 8;
  }
}

// XORs the secret with scrypt(passphrase, salt, limits). False: no memory.
bool apply_passphrase(SecretFields& fields, const std::string& passphrase) {
  unsigned char stream[sizeof fields.secret];
  if (little(fields.memory) > kMostMemory ||
      ::crypto_pwhash_scryptsalsa208sha256(stream, sizeof stream, passphrase.data(),
                                           passphrase.size(), fields.salt,
                                           little(fields.operations), little(fields.memory)) != 0) {
    return false;
  }
  auto* bytes = reinterpret_cast<unsigned char*>(&fields.secret);
  for (std::size_t i = 0; i < sizeof stream; ++i) bytes[i] ^= stream[i];
  ::sodium_memzero(stream, sizeof stream);
  return true;
}

Status decrypt(SecretFields& fields, const std::string& name, const AskPassphrase& ask) {
  std::string passphrase = TRY(ask());
  const bool applied = apply_passphrase(fields, passphrase);
  ::sodium_memzero(passphrase.data(), passphrase.size());
  if (applied) return Done{};
  return plain_error(kRead, name, "not enough memory to try the passphrase",
                     "it takes " + std::to_string(little(fields.memory) >> 20) +
                         " MiB; lift the limit on memory (ulimit -v)");
}

}  // namespace

std::string id_text(const KeyId& id) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (std::size_t i = id.size(); i-- > 0;) {
    text += kDigits[id[i] >> 4];
    text += kDigits[id[i] & 15];
  }
  return text;
}

std::string PublicKey::base64() const { return encode(PublicFields{{'E', 'd'}, id, point}); }

std::string PublicKey::file_text() const {
  return "untrusted comment: minisign public key " + id_text(id) + "\n" + base64() + "\n";
}

Result<PublicKey> parse_public_key(std::string_view text, const std::string& name) {
  const auto fields = decode<PublicFields>(text);
  if (fields) return PublicKey{fields->id, fields->point};
  const bool secret = decode<SecretFields>(text).has_value();
  return plain_error(kRead, name,
                     secret ? "this is a secret key" : "not a public key of minisign's format",
                     secret ? "name the .pub file that was made with it, and keep this one to "
                              "yourself"
                            : "it has two lines, the second begins with RW");
}

SecretKey SecretKey::generate() {
  SecretKey key;
  if (::sodium_init() < 0) std::abort();  // no randomness on this machine
  unsigned char point[32];
  ::randombytes_buf(key.id_.data(), key.id_.size());
  ::crypto_sign_keypair(point, key.bytes_.data());
  return key;
}

SecretKey::SecretKey(SecretKey&& other) noexcept : id_(other.id_), bytes_(other.bytes_) {
  ::sodium_memzero(other.bytes_.data(), other.bytes_.size());
}

SecretKey::~SecretKey() { ::sodium_memzero(bytes_.data(), bytes_.size()); }

std::array<unsigned char, 32> SecretKey::checksum() const {
  std::array<unsigned char, 32> sum{};
  crypto_generichash_state state;
  ::crypto_generichash_init(&state, nullptr, 0, sum.size());
  ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>("Ed"), 2);
  ::crypto_generichash_update(&state, id_.data(), id_.size());
  ::crypto_generichash_update(&state, bytes_.data(), bytes_.size());
  ::crypto_generichash_final(&state, sum.data(), sum.size());
  return sum;
}

Result<SecretKey> SecretKey::parse(std::string_view text, const std::string& name,
                                   const AskPassphrase& ask) {
  auto fields = decode<SecretFields>(text);
  if (!fields || std::memcmp(fields->checksum_kind, "B2", 2) != 0) {
    return plain_error(kRead, name, "not a secret key of minisign's format",
                       "rootlet sign --new-key makes one");
  }
  const bool encrypted = std::memcmp(fields->derivation, "Sc", 2) == 0;
  if (encrypted) TRY(decrypt(*fields, name, ask));
  SecretKey key;
  key.id_ = fields->secret.id;
  std::memcpy(key.bytes_.data(), fields->secret.key, key.bytes_.size());
  const auto sum = key.checksum();
  // minisign -W leaves the checksum out.
  const bool sound = !encrypted || std::memcmp(sum.data(), fields->secret.checksum, 32) == 0;
  ::sodium_memzero(&*fields, sizeof *fields);
  if (!sound) return plain_error(kRead, name, "wrong passphrase", "try again");
  return key;
}

PublicKey SecretKey::public_key() const {
  PublicKey key{id_, {}};
  // libsodium's secret key ends in the public one.
  std::memcpy(key.point.data(), bytes_.data() + 32, 32);
  return key;
}

Result<std::string> SecretKey::file_text(const std::string& passphrase) const {
  SecretFields fields{};
  std::memcpy(fields.algorithm, "Ed", 2);
  std::memcpy(fields.checksum_kind, "B2", 2);
  fields.secret.id = id_;
  std::memcpy(fields.secret.key, bytes_.data(), bytes_.size());
  if (!passphrase.empty()) {
    std::memcpy(fields.derivation, "Sc", 2);
    const auto sum = checksum();
    std::memcpy(fields.secret.checksum, sum.data(), sum.size());
    ::randombytes_buf(fields.salt, sizeof fields.salt);
    put_little(fields.operations, crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE);
    put_little(fields.memory, crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE);
    if (!apply_passphrase(fields, passphrase)) {
      return plain_error("write the key", "the passphrase",
                         "not enough memory to protect the key with it",
                         "it takes 1 GiB; lift the limit on memory (ulimit -v)");
    }
  }
  std::string text = "untrusted comment: minisign encrypted secret key\n" + encode(fields) + "\n";
  ::sodium_memzero(&fields, sizeof fields);
  return text;
}

}  // namespace rootlet::trust
