// SPDX-License-Identifier: MIT
#include "trust/finding.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "runtime/payload/payload.hpp"
#include "runtime/payload/seal.hpp"
#include "trust/openpgp.hpp"

namespace rootlet::trust {
namespace {

using Kind = Finding::Kind;
using State = Finding::State;

constexpr std::string_view kCarries = "signed with rootlet, public key ";
constexpr const char* kRewritten = "its signature is not written as it was made";
constexpr const char* kInSeal = "in the seal";
constexpr std::uint64_t kLargestLegacy = 256 << 20;

std::optional<PublicKey> carried_key(const Signature& signature) {
  const std::string_view comment(signature.untrusted_comment);
  if (!comment.starts_with(kCarries)) return std::nullopt;
  const auto key = parse_public_key(comment.substr(kCarries.size()), "");
  if (!key.ok() || key.value().id != signature.key) return std::nullopt;
  return key.value();
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{})
    return std::nullopt;
  return value;
}

// The signer noted the size, and that note is signed by itself.
std::string what_changed(const Signature& signature, const FileRange& bytes) {
  const auto size = number(comment_field(signature, "size"));
  return size ? change_text(*size, bytes.length) : "its bytes are not those that were signed";
}

// GPG's signature has no such note: what the squashfs says of its own size.
std::string what_changed(const FileRange& image, const std::string& name) {
  constexpr std::string_view kOther = "its bytes are not those that were signed";
  constexpr std::uint64_t kPadding = 4096;
  if (image.offset != 0) return std::string(kOther);
  const auto payload = find_payload(image.fd, name);
  if (!payload.ok()) return payload.error().reason;
  const std::uint64_t end = payload.value().offset + payload.value().length;
  std::uint64_t padded = (end + kPadding - 1) / kPadding * kPadding;
  const auto seal = read_seal(payload.value(), name);
  if (seal.ok() && seal.value()) {
    padded = seal_offset(payload.value()) + Seal::kPage + seal.value()->tree_bytes();
  }
  if (image.length <= padded) return std::string(kOther);
  return change_text(padded, image.length);
}

// A sum that some tools leave where a signature would be (go-appimage).
bool is_bare_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool next_to_slot_is_used(const SignedFile& file, const SignatureSections& places) {
  char last = 0;
  const std::uint64_t at = file.image.offset + places.slot().offset - 1;
  return ::pread(file.image.fd, &last, 1, static_cast<off_t>(at)) == 1 && last != 0;
}

}  // namespace

std::string comment_with_key(const PublicKey& key) { return std::string(kCarries) + key.base64(); }

Finding bad_finding(Kind kind, const std::string& place, const Error& error) {
  Finding finding;
  finding.kind = kind;
  finding.place = place;
  finding.why = error.reason;
  return finding;
}

InsideTexts read_inside(const SignedFile& file, const SignatureSections& places) {
  InsideTexts texts;
  const auto read = [&](Kind kind, const ZeroRange& where, std::string& to) {
    auto text = text_in(file.image, where, file.name);
    if (text.ok()) {
      to = std::move(text).value();
    } else {
      texts.bad.push_back(bad_finding(kind, "inside", text.error()));
    }
  };
  ZeroRange key = places.gpg_key;
  // A long key of GPG's may reach into the slot, and then there is none.
  if (places.can_hold_minisign() && !next_to_slot_is_used(file, places)) {
    key.length -= SignatureSections::kSlot;
    read(Kind::minisign, places.slot(), texts.minisign);
  }
  if (places.gpg.length > 0) read(Kind::gpg, places.gpg, texts.gpg);
  if (key.length > 0) read(Kind::gpg, key, texts.gpg_key);
  if (is_bare_digest(texts.gpg)) texts.gpg.clear();
  return texts;
}

// What minisign signs: the hash, or in its legacy form the bytes themselves.
Result<std::string> Judge::signed_message(const Signature& signature, const FileRange& bytes,
                                          const std::vector<ZeroRange>& zeroed) const {
  if (signature.prehashed) {
    const Blake2b hash = TRY(blake2b_of(bytes, zeroed, name_, progress_));
    return std::string(hash.begin(), hash.end());
  }
  if (bytes.length > kLargestLegacy) {
    return plain_error("verify the signature", name_,
                       "a signature of minisign's legacy form, of more than 256 MiB",
                       "sign it again without minisign -l");
  }
  std::string message(bytes.length, '\0');
  const ssize_t got =
      ::pread(bytes.fd, message.data(), message.size(), static_cast<off_t>(bytes.offset));
  if (got < 0) return last_error("verify the signature", name_);
  message.resize(static_cast<std::size_t>(got));
  for (const ZeroRange& range : zeroed)
    message.replace(range.offset, range.length, range.length, 0);
  return message;
}

Result<Finding> Judge::minisign(const std::string& text, const std::string& place,
                                const FileRange& bytes,
                                const std::vector<ZeroRange>& zeroed) const {
  auto parsed = parse_signature(text, name_);
  if (!parsed.ok()) return bad_finding(Kind::minisign, place, parsed.error());
  Finding finding;
  finding.place = place;
  finding.minisign = parsed.value();
  const Signature& signature = *finding.minisign;
  finding.key = id_text(signature.key);
  if (place == "inside" && signature.text() != text) {
    finding.why = kRewritten;
    return finding;
  }
  return by_keys(
      finding, [&] { return signed_message(signature, bytes, zeroed); },
      what_changed(signature, bytes));
}

// Only now, and only where somebody's key is known, is `message` worked out.
Result<Finding> Judge::by_keys(Finding finding, const Message& message,
                               const std::string& otherwise) const {
  const Signature& signature = *finding.minisign;
  std::vector<TrustedKey> candidates;
  for (const TrustedKey& key : keys_.keys()) {
    if (key.minisign && key.minisign->id == signature.key) candidates.push_back(key);
  }
  const bool trusted = !candidates.empty();
  if (const auto carried = carried_key(signature); carried && !trusted) {
    candidates.push_back({{}, {}, false, carried, {}, finding.key, {}});
  }
  if (candidates.empty()) {
    finding.state = State::unknown_key;
    return finding;
  }
  const std::string bytes = TRY(message());
  finding.why = "the signature is not one of key " + finding.key;
  for (const TrustedKey& key : candidates) {
    if (!comment_is_good(signature, *key.minisign)) continue;
    finding.by = key;
    const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
    if (trust::is_good(signature, *key.minisign, {raw, bytes.size()})) {
      finding.state = trusted ? State::good : State::unknown_key;
      finding.why.clear();
      return finding;
    }
    finding.why = otherwise;
  }
  return finding;
}

Result<Finding> Judge::seal(const Seal& seal) const {
  auto parsed = parse_seal_signature(seal.signature, name_);
  if (!parsed.ok()) {
    Finding finding = bad_finding(Kind::minisign, kInSeal, parsed.error());
    finding.of_image = true;
    return finding;
  }
  Finding finding;
  finding.place = kInSeal;
  finding.of_image = true;
  finding.minisign = parsed.value().signature;
  finding.statement = parsed.value().statement;
  finding.key = id_text(finding.minisign->key);
  if (parsed.value().text() != seal.signature) {
    finding.why = kRewritten;
    return finding;
  }
  if (finding.statement->digest != seal_text(seal.digest)) {
    finding.why =
        "the signature in its seal is of another image, " +
        (finding.statement->name.empty() ? finding.statement->digest : finding.statement->name);
    return finding;
  }
  return by_keys(
      std::move(finding),
      [&]() -> Result<std::string> {
        const Blake2b hash = blake2b_of_text(parsed.value().statement.text());
        return std::string(hash.begin(), hash.end());
      },
      "what is signed of its image was changed");
}

// Not one of the trusted keys: is it at least the one that the file carries?
Result<Finding> Judge::gpg_by_carried(Finding finding, const std::string& text,
                                      const std::string& digest, const std::string& carried) const {
  finding.state = State::unknown_key;
  if (carried.empty()) return finding;
  const auto binary = without_armor(carried);
  auto key = binary ? read_key(*binary, name_) : plain_error("", "", "the armor is damaged");
  if (!key.ok()) {
    finding.state = State::bad;
    finding.why = "the key inside of it cannot be read: " + key.error().reason;
    return finding;
  }
  const PgpAnswer answer = TRY(check_pgp(text, digest, {key.value().pgp}));
  if (answer.kind == PgpAnswer::Kind::other_key) {
    finding.why = "the key inside of the file is another one, " + key.value().id;
  } else if (answer.kind == PgpAnswer::Kind::good) {
    finding.key = answer.key;
    finding.by = std::move(key).value();
  } else if (answer.kind == PgpAnswer::Kind::bad) {
    finding.state = State::bad;
  }
  return finding;
}

Result<Finding> Judge::gpg(const std::string& text, const std::string& carried,
                           const FileRange& image, const SignatureSections& places) const {
  Finding finding;
  finding.kind = Kind::gpg;
  finding.place = "inside";
  const std::string digest =
      TRY(sha256_text_of(image, {places.gpg, places.gpg_key}, name_, progress_));
  auto checked = check_pgp(text, digest, keys_.pgp_keyrings());
  if (!checked.ok()) {
    finding.state = State::unchecked;
    finding.why = checked.error().subject + ": " + checked.error().explanation();
    return finding;
  }
  const PgpAnswer& answer = checked.value();
  finding.key = answer.key;
  switch (answer.kind) {
    case PgpAnswer::Kind::good: {
      finding.state = State::good;
      const TrustedKey* key = keys_.find_fingerprint(answer.key);
      if (key != nullptr) finding.by = *key;
      // The carried key is in no digest: it must at least be that very key.
      const auto binary = without_armor(carried);
      const auto read = binary ? read_key(*binary, name_) : plain_error("", "", "damaged");
      if (!carried.empty() && (!read.ok() || read.value().id != answer.key)) {
        finding.state = State::bad;
        finding.why = "the key inside of the file is not the one that signed it";
      }
      return finding;
    }
    case PgpAnswer::Kind::other_key: {
      finding = TRY(gpg_by_carried(std::move(finding), text, digest, carried));
      if (finding.state == State::bad && finding.why.empty()) {
        finding.why = what_changed(image, name_);
      }
      return finding;
    }
    case PgpAnswer::Kind::bad: finding.why = what_changed(image, name_); return finding;
    case PgpAnswer::Kind::expired:
      finding.why = "the key that signed it has expired";
      return finding;
    case PgpAnswer::Kind::revoked:
      finding.why = "the key that signed it is revoked";
      return finding;
    case PgpAnswer::Kind::unreadable:
      finding.why = "its GPG signature cannot be read";
      return finding;
  }
  return finding;
}

}  // namespace rootlet::trust
