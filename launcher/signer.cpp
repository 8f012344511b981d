// SPDX-License-Identifier: MIT
#include "launcher/signer.hpp"

#include <sys/stat.h>
#include <time.h>

#include <cstdlib>

#include "launcher/hash_progress.hpp"
#include "launcher/image_identity.hpp"
#include "launcher/passphrase.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"
#include "trust/openpgp.hpp"
#include "trust/verdict.hpp"

namespace rootlet {
namespace {

using trust::SignatureSections;

constexpr std::string_view kSign = "sign";
constexpr std::size_t kMostPins = 2000;    // bytes of the names and digests of its data
constexpr std::size_t kLongestWord = 120;  // of the image's own words in a comment

Result<FileRange> whole(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kSign, name);
  return FileRange{fd, 0, static_cast<std::uint64_t>(status.st_size)};
}

Result<SignatureSections> places_in(const FileRange& image, const std::string& name) {
  const SignatureSections places = TRY(trust::find_signature_sections(image, name));
  if (places.can_hold_gpg() && places.can_hold_minisign()) return places;
  return plain_error(
      kSign, name, "it has no place for a signature",
      "rootlet sign --beside writes one beside it; AppImages of rootlet build have a "
      "place");
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string word_of_image(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  if (text.size() > kLongestWord) text.resize(kLongestWord);
  return text;
}

std::string now_text() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (epoch != nullptr && epoch[0] >= '0' && epoch[0] <= '9') return epoch;
  return std::to_string(::time(nullptr));
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<trust::SecretKey> read_secret(const std::string& path, const std::string& passphrase_file) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY));
  const std::string text = TRY(os::read_file(AT_FDCWD, os::fd_path(file.get()), 4096));
  return trust::SecretKey::parse(text, path, passphrase_source(passphrase_file, path));
}

Result<bool> has_gpg(const FileRange& image, const SignatureSections& places,
                     const std::string& name) {
  const std::string text = TRY(trust::text_in(image, places.gpg, name));
  return text.starts_with("-----BEGIN PGP");
}

}  // namespace

std::string default_secret_key() {
  const char* directory = std::getenv("MINISIGN_CONFIG_DIR");
  if (directory != nullptr && directory[0] != '\0') return std::string(directory) + "/minisign.key";
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.minisign/minisign.key";
}

Result<Signer> Signer::open(const SigningRequest& request) {
  Signer signer;
  signer.comment_ = request.comment;
  signer.image_name_ = request.name;
  signer.image_version_ = request.version;
  std::vector<std::string> keys = request.keys;
  if (request.is_empty()) keys.push_back(default_secret_key());
  if (request.gpg) signer.gpg_key_ = "";
  for (const std::string& key : keys) {
    if (is_file(key)) {
      if (!signer.secret_.empty()) return plain_error(kSign, key, "one key of each kind at a time");
      signer.secret_.push_back(TRY(read_secret(key, request.passphrase_file)));
    } else if (key.find('/') != std::string::npos) {
      return Error{ENOENT,
                   std::string(kSign),
                   key,
                   "rootlet sign --new-key makes a key; --gpg signs with gpg's",
                   {}};
    } else if (signer.gpg_key_ && !signer.gpg_key_->empty()) {
      return plain_error(kSign, key, "one key of each kind at a time");
    } else {
      signer.gpg_key_ = key;
    }
  }
  if (!request.passphrase_file.empty()) {
    signer.passphrase_ = TRY(passphrase_from_file(request.passphrase_file));
  }
  return signer;
}

ImageIdentity Signer::identity_of(const FileRange& range, const std::string& name) const {
  auto read = read_identity(range.fd, name);
  ImageIdentity identity = read.ok() ? std::move(read).value() : ImageIdentity{};
  if (!image_name_.empty()) identity.name = image_name_;
  if (!image_version_.empty()) identity.version = image_version_;
  return identity;
}

std::string Signer::trusted_comment(const FileRange& range, const std::string& name,
                                    const ImageIdentity& identity) const {
  std::string text = "timestamp:" + now_text() + "\tfile:" + word_of_image(base_name(name)) +
                     "\thashed\tsize:" + std::to_string(range.length);
  if (!identity.name.empty()) text += "\tname:" + word_of_image(identity.name);
  if (!identity.version.empty()) text += "\tversion:" + word_of_image(identity.version);
  if (!comment_.empty()) text += "\t" + word_of_image(comment_);
  return text;
}

Result<trust::Signature> Signer::sign_minisign(const FileRange& range,
                                               const std::vector<trust::ZeroRange>& zeroed,
                                               const std::string& name) const {
  HashProgress progress("reading " + base_name(name));
  const trust::Blake2b hash = TRY(trust::blake2b_of(range, zeroed, name, progress.callback()));
  const trust::SecretKey& key = secret_.front();
  return trust::sign(hash, key, trusted_comment(range, name, identity_of(range, name)),
                     trust::comment_with_key(key.public_key()));
}

// False: it has no seal.
Result<bool> Signer::sign_seal(const FileRange& image, const std::string& name,
                               std::vector<std::string>& lines) const {
  const auto payload = find_payload_in(image, name);
  if (!payload.ok()) return false;
  if (!TRY(read_seal(payload.value(), name))) return false;
  const ImageIdentity identity = identity_of(image, name);
  trust::SealSignature both;
  both.statement = TRY(image_statement(image.fd, name, identity));
  const trust::SecretKey& key = secret_.front();
  std::string comment = "timestamp:" + now_text();
  if (!comment_.empty()) comment += "\t" + word_of_image(comment_);
  both.signature = trust::sign(trust::blake2b_of_text(both.statement.text()), key, comment,
                               trust::comment_with_key(key.public_key()));
  TRY(trust::put_seal_signature(payload.value(), both.text(), name));
  lines.push_back("signed in its seal with minisign " + trust::id_text(key.id()));
  return true;
}

Result<std::vector<std::string>> Signer::sign_gpg(const FileRange& image, const std::string& name,
                                                  const SignatureSections& places) const {
  HashProgress progress("reading " + base_name(name));
  const std::string digest =
      TRY(trust::sha256_text_of(image, {places.gpg, places.gpg_key}, name, progress.callback()));
  const trust::PgpSigned made = TRY(trust::sign_pgp(digest, *gpg_key_, passphrase_));
  std::vector<std::string> lines;
  const std::string slot = TRY(trust::text_in(image, places.slot(), name));
  trust::ZeroRange key = places.gpg_key;
  // The slot stays free, and is emptied: minisign's signature covers GPG's.
  key.length -= SignatureSections::kSlot;
  TRY(trust::put_text(image, places.slot(), "", name));
  if (!slot.empty() && secret_.empty()) {
    lines.push_back(
        "note: its minisign signature did not cover this one, and is gone; "
        "-s KEY --gpg makes both");
  }
  TRY(trust::put_text(image, key, made.key, name));
  TRY(trust::put_text(image, places.gpg, made.signature, name));
  lines.push_back("signed inside with GPG " + made.fingerprint);
  return lines;
}

Result<std::vector<std::string>> Signer::sign_inside(int fd, const std::string& name) const {
  const FileRange image = TRY(whole(fd, name));
  std::vector<std::string> lines;
  const auto found = places_in(image, name);
  // First: the others cover it. One of GPG's that stays was made of what is there.
  const bool gpg_stays = !gpg_key_ && found.ok() && TRY(has_gpg(image, found.value(), name));
  if (gpg_stays) {
    lines.push_back(
        "note: GPG's signature covers the seal, which is left as it is; -s KEY --gpg signs all");
  }
  const bool sealed = !secret_.empty() && !gpg_stays && TRY(sign_seal(image, name, lines));
  if (!found.ok() && sealed && !gpg_key_) return lines;
  const SignatureSections places = TRY(found);
  if (gpg_key_) {
    for (std::string& line : TRY(sign_gpg(image, name, places))) lines.push_back(std::move(line));
  }
  if (secret_.empty()) return lines;
  const trust::Signature signature = TRY(sign_minisign(image, {places.slot()}, name));
  TRY(trust::put_text(image, places.slot(), signature.text(), name));
  lines.push_back("signed inside with minisign " + trust::id_text(signature.key));
  return lines;
}

Result<std::string> Signer::sign_beside(int fd, const std::string& name) const {
  if (secret_.empty()) {
    return plain_error(kSign, name, "GPG's signature lies inside of an AppImage",
                       "without --beside; beside a file: gpg --detach-sign");
  }
  const FileRange range = TRY(whole(fd, name));
  const trust::Signature signature = TRY(sign_minisign(range, {}, name));
  return signature.text();
}

Result<trust::Statement> image_statement(int fd, const std::string& name,
                                         const ImageIdentity& identity) {
  const FileRange image = TRY(whole(fd, name));
  const Payload payload = TRY(find_payload_in(image, name));
  const auto seal = TRY(read_seal(payload, name));
  if (!seal) {
    return plain_error(kSign, name, "it has no seal, by which an image is signed",
                       "rootlet build and rootlet data add make one");
  }
  trust::Statement statement;
  statement.digest = seal_text(seal->digest);
  statement.name = word_of_image(identity.name);
  statement.version = word_of_image(identity.version);
  std::string all;
  for (const Policy::Data& data : identity.data) {
    statement.data.push_back(word_of_image(data.name) + " " + word_of_image(data.digest));
    all += statement.data.back() + "\n";
  }
  // The digest covers them in any case; here is no room for hundreds.
  if (all.size() > kMostPins) {
    const Sha256Digest sum =
        sha256({reinterpret_cast<const std::uint8_t*>(all.data()), all.size()});
    statement.data = {std::to_string(identity.data.size()) + " images " + seal_text(sum)};
  }
  return statement;
}

Status remove_signatures(int fd, const std::string& name) {
  const FileRange image = TRY(whole(fd, name));
  const auto payload = find_payload_in(image, name);
  const auto seal = payload.ok() ? TRY(read_seal(payload.value(), name)) : std::optional<Seal>();
  if (seal) TRY(trust::put_seal_signature(payload.value(), "", name));
  const auto found = places_in(image, name);
  if (!found.ok() && seal) return Done{};
  const SignatureSections places = TRY(found);
  TRY(trust::put_text(image, places.gpg, "", name));
  return trust::put_text(image, places.gpg_key, "", name);
}

Status put_signature(int fd, const std::string& name, const std::string& text) {
  const FileRange image = TRY(whole(fd, name));
  const SignatureSections places = TRY(places_in(image, name));
  const trust::Signature signature = TRY(trust::parse_signature(text, name));
  return trust::put_text(image, places.slot(), signature.text(), name);
}

Status put_statement(int fd, const std::string& name, const std::string& statement,
                     const std::string& signature) {
  trust::SealSignature both;
  both.statement = TRY(trust::parse_statement(statement, name));
  both.signature = TRY(trust::parse_signature(signature, name));
  const FileRange image = TRY(whole(fd, name));
  const Payload payload = TRY(find_payload_in(image, name));
  const auto seal = TRY(read_seal(payload, name));
  if (!seal || seal_text(seal->digest) != both.statement.digest) {
    return plain_error(kSign, name, "the statement is of another image",
                       "rootlet sign --statement FILE writes this one's");
  }
  const auto places = places_in(image, name);
  if (places.ok()) {
    const std::string slot = TRY(trust::text_in(image, places.value().slot(), name));
    if (!slot.empty() || TRY(has_gpg(image, places.value(), name))) {
      return plain_error(kSign, name,
                         "it carries signatures of the whole file, and they cover the seal",
                         "take them out first: rootlet sign --remove " + name);
    }
  }
  return trust::put_seal_signature(payload, both.text(), name);
}

}  // namespace rootlet
