// SPDX-License-Identifier: MIT
#include "trust/pgp_key.hpp"

// SHA-1 is what a fingerprint of version 4 is (RFC 4880, 12.2).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rootlet::trust {
namespace {

struct Packet {
  unsigned tag = 0;
  std::string_view body;
};
constexpr unsigned kPublicKey = 6, kUserId = 13;

std::uint64_t take_number(std::string_view& in, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size && !in.empty(); ++i, in.remove_prefix(1)) {
    value = value << 8 | static_cast<unsigned char>(in.front());
  }
  return value;
}

// RFC 4880, 4.2. Partial lengths, which keys do not have, are none of ours.
std::optional<Packet> take_packet(std::string_view& in) {
  const auto first = static_cast<unsigned>(take_number(in, 1));
  if ((first & 0x80) == 0) return std::nullopt;
  Packet packet;
  std::uint64_t length = 0;
  if ((first & 0x40) != 0) {
    packet.tag = first & 0x3f;
    length = take_number(in, 1);
    if (length >= 224 && length < 255) return std::nullopt;
    if (length == 255) {
      length = take_number(in, 4);
    } else if (length >= 192) {
      length = ((length - 192) << 8) + take_number(in, 1) + 192;
    }
  } else {
    packet.tag = first >> 2 & 15;
    if ((first & 3) == 3) return std::nullopt;
    length = take_number(in, std::size_t{1} << (first & 3));
  }
  if (length > in.size()) return std::nullopt;
  packet.body = in.substr(0, length);
  in.remove_prefix(length);
  return packet;
}

std::string fingerprint_of(std::string_view body) {
  const unsigned char head[] = {0x99, static_cast<unsigned char>(body.size() >> 8),
                                static_cast<unsigned char>(body.size())};
  SHA_CTX state;
  ::SHA1_Init(&state);
  ::SHA1_Update(&state, head, sizeof head);
  ::SHA1_Update(&state, body.data(), body.size());
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1_Final(digest.data(), &state);
  std::array<char, 2 * SHA_DIGEST_LENGTH + 1> text{};
  ::sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  std::string upper(text.data());
  for (char& c : upper) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
  return upper;
}

}  // namespace

Result<PgpKey> describe_pgp_key(const std::string& bytes, const std::string& name) {
  const auto wrong = [&](std::string_view reason) {
    return plain_error("read the key", name, reason, "gpg --armor --export KEY > FILE makes one");
  };
  PgpKey key;
  std::string_view rest(bytes);
  while (!rest.empty()) {
    const auto packet = take_packet(rest);
    if (!packet) return wrong("not a public key of GPG's, or a damaged one");
    if (packet->tag == kPublicKey) {
      if (!key.fingerprint.empty()) return wrong("it holds several keys");
      const bool known = !packet->body.empty() && packet->body[0] == 4;
      if (!known || packet->body.size() > 0xffff) return wrong("a key of an unknown version");
      key.fingerprint = fingerprint_of(packet->body);
    } else if (key.fingerprint.empty()) {
      return wrong("not a public key of GPG's");
    } else if (packet->tag == kUserId && key.user.empty()) {
      key.user = packet->body;
    }
  }
  if (key.fingerprint.empty()) return wrong("it is empty");
  return key;
}

}  // namespace rootlet::trust
