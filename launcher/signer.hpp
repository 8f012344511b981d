// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/image_identity.hpp"
#include "trust/minisign_key.hpp"
#include "trust/minisign_signature.hpp"
#include "trust/signature_sections.hpp"
#include "trust/statement.hpp"

namespace rootlet {

// With what to sign, as the command line says it.
struct SigningRequest {
  std::vector<std::string> keys;  // files of minisign's, or names that gpg knows
  bool gpg = false;               // also with gpg's default key
  std::string passphrase_file, comment;
  std::string name, version;  // of an image that does not say its own

  bool is_empty() const { return keys.empty() && !gpg; }
};

// ${MINISIGN_CONFIG_DIR:-~/.minisign}/minisign.key, minisign's own default.
std::string default_secret_key();

// The keys of a request, read once (and their passphrases asked for), for one
// file or several.
class Signer {
 public:
  // An empty request: the default key of minisign's.
  static Result<Signer> open(const SigningRequest& request);

  // Signs an image that may be written: in its seal where it has one, and an
  // AppImage in its own sections, too. What it says of itself is signed with it.
  // Returns a line for each signature. Errors: no place for one.
  Result<std::vector<std::string>> sign_inside(int fd, const std::string& name) const;

  // The text for NAME.minisig, of any file.
  Result<std::string> sign_beside(int fd, const std::string& name) const;

 private:
  Result<std::vector<std::string>> sign_gpg(const FileRange& image, const std::string& name,
                                            const trust::SignatureSections& places) const;
  Result<trust::Signature> sign_minisign(const FileRange& range,
                                         const std::vector<trust::ZeroRange>& zeroed,
                                         const std::string& name) const;
  std::string trusted_comment(const FileRange& range, const std::string& name,
                              const ImageIdentity& identity) const;
  Result<bool> sign_seal(const FileRange& image, const std::string& name,
                         std::vector<std::string>& lines) const;
  ImageIdentity identity_of(const FileRange& range, const std::string& name) const;

  std::vector<trust::SecretKey> secret_;  // at most one
  std::optional<std::string> gpg_key_;    // empty text: gpg's default
  std::optional<std::string> passphrase_;
  std::string comment_;
  std::string image_name_, image_version_;
};

// What a signature of an image's seal covers (trust/statement.hpp). Errors: no
// image, or one without a seal.
Result<trust::Statement> image_statement(int fd, const std::string& name,
                                         const ImageIdentity& identity);

// Takes all signatures out of an AppImage, or puts one in that minisign made of
// it. Errors: no place; not a signature of these bytes by the key it names.
Status remove_signatures(int fd, const std::string& name);
Status put_signature(int fd, const std::string& name, const std::string& text);
Status put_statement(int fd, const std::string& name, const std::string& statement,
                     const std::string& signature);

}  // namespace rootlet
