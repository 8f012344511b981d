// SPDX-License-Identifier: MIT
#include "trust/minisign_signature.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "trust/base64.hpp"

namespace rootlet::trust {
namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ";
constexpr std::string_view kTrusted = "trusted comment: ";
constexpr std::size_t kLongestLine = 8192;  // minisign's own bound

struct Fields {
  char algorithm[2];
  KeyId key;
  std::array<unsigned char, 64> bytes;
};
static_assert(sizeof(Fields) == 74);

template <typename T>
std::string encode(const T& value) {
  return to_base64({reinterpret_cast<const unsigned char*>(&value), sizeof value});
}

template <typename T>
bool decode(std::string_view text, T& value) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != sizeof value) return false;
  std::memcpy(&value, bytes->data(), sizeof value);
  return true;
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string one_line(std::string text) {
  for (char& letter : text) {
    const bool control = static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    if (control && letter != '\t') letter = ' ';
  }
  return text;
}

std::string global_message(const Signature& signature) {
  return std::string(signature.bytes.begin(), signature.bytes.end()) + signature.trusted_comment;
}

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string Signature::text() const {
  Fields fields{{'E', prehashed ? 'D' : 'd'}, key, bytes};
  return std::string(kUntrusted) + untrusted_comment + "\n" + encode(fields) + "\n" +
         std::string(kTrusted) + trusted_comment + "\n" + encode(global) + "\n";
}

Result<Signature> parse_signature(std::string_view text, const std::string& name) {
  const auto wrong = [&](std::string_view reason) {
    return plain_error("read the signature", name, reason, "minisign's format has four lines");
  };
  if (text.size() > 4 * kLongestLine) return wrong("it is too long");
  Signature signature;
  const std::string_view comment = next_line(text);
  if (!comment.starts_with(kUntrusted)) return wrong("it has no untrusted comment");
  signature.untrusted_comment = comment.substr(kUntrusted.size());
  Fields fields;
  if (!decode(next_line(text), fields)) return wrong("its second line is no signature");
  const std::string_view algorithm(fields.algorithm, 2);
  if (algorithm != "ED" && algorithm != "Ed") return wrong("it is of an unknown kind");
  signature.prehashed = algorithm == "ED";
  signature.key = fields.key;
  signature.bytes = fields.bytes;
  const std::string_view trusted = next_line(text);
  if (!trusted.starts_with(kTrusted)) return wrong("it has no trusted comment");
  signature.trusted_comment = trusted.substr(kTrusted.size());
  if (!decode(next_line(text), signature.global)) return wrong("its last line is no signature");
  if (!text.empty()) return wrong("something follows it");
  return signature;
}

Signature sign(const Blake2b& hash, const SecretKey& key, std::string trusted_comment,
               std::string untrusted_comment) {
  Signature signature;
  signature.key = key.id();
  signature.trusted_comment = one_line(std::move(trusted_comment));
  signature.untrusted_comment = one_line(std::move(untrusted_comment));
  const unsigned char* secret = key.bytes().data();
  ::crypto_sign_detached(signature.bytes.data(), nullptr, hash.data(), hash.size(), secret);
  const std::string message = global_message(signature);
  ::crypto_sign_detached(signature.global.data(), nullptr, raw(message), message.size(), secret);
  return signature;
}

bool comment_is_good(const Signature& signature, const PublicKey& key) {
  const std::string message = global_message(signature);
  return key.id == signature.key &&
         ::crypto_sign_verify_detached(signature.global.data(), raw(message), message.size(),
                                       key.point.data()) == 0;
}

bool is_good(const Signature& signature, const PublicKey& key,
             std::span<const unsigned char> message) {
  return comment_is_good(signature, key) &&
         ::crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                       key.point.data()) == 0;
}

std::optional<std::string> comment_field(const Signature& signature, std::string_view field) {
  std::string_view rest = signature.trusted_comment;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\t'), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (part.size() > field.size() && part.starts_with(field) && part[field.size()] == ':') {
      return std::string(part.substr(field.size() + 1));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

}  // namespace rootlet::trust
