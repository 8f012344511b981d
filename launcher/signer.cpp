// SPDX-License-Identifier: MIT
#include "launcher/signer.hpp"

#include <sys/stat.h>
#include <time.h>

#include <cstdlib>

#include "launcher/hash_progress.hpp"
#include "launcher/image_identity.hpp"
#include "launcher/passphrase.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"
#include "trust/openpgp.hpp"
#include "trust/verdict.hpp"

namespace rootlet {
namespace {

using trust::SignatureSections;

constexpr std::string_view kSign = "sign";
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

std::string Signer::trusted_comment(const FileRange& range, const std::string& name) const {
  std::string text = "timestamp:" + now_text() + "\tfile:" + word_of_image(base_name(name)) +
                     "\thashed\tsize:" + std::to_string(range.length);
  const auto identity = read_identity(range.fd, name);
  if (identity.ok() && !identity.value().name.empty()) {
    text += "\tname:" + word_of_image(identity.value().name);
  }
  if (identity.ok() && !identity.value().version.empty()) {
    text += "\tversion:" + word_of_image(identity.value().version);
  }
  if (!comment_.empty()) text += "\t" + word_of_image(comment_);
  return text;
}

Result<trust::Signature> Signer::sign_minisign(const FileRange& range,
                                               const std::vector<trust::ZeroRange>& zeroed,
                                               const std::string& name) const {
  HashProgress progress("reading " + base_name(name));
  const trust::Blake2b hash = TRY(trust::blake2b_of(range, zeroed, name, progress.callback()));
  const trust::SecretKey& key = secret_.front();
  return trust::sign(hash, key, trusted_comment(range, name),
                     trust::comment_with_key(key.public_key()));
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
  const SignatureSections places = TRY(places_in(image, name));
  std::vector<std::string> lines;
  if (gpg_key_) lines = TRY(sign_gpg(image, name, places));
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

Status remove_signatures(int fd, const std::string& name) {
  const FileRange image = TRY(whole(fd, name));
  const SignatureSections places = TRY(places_in(image, name));
  TRY(trust::put_text(image, places.gpg, "", name));
  return trust::put_text(image, places.gpg_key, "", name);
}

Status put_signature(int fd, const std::string& name, const std::string& text) {
  const FileRange image = TRY(whole(fd, name));
  const SignatureSections places = TRY(places_in(image, name));
  const trust::Signature signature = TRY(trust::parse_signature(text, name));
  return trust::put_text(image, places.slot(), signature.text(), name);
}

}  // namespace rootlet
