// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trust/minisign_key.hpp"

namespace rootlet::trust {

// A public key that the user, or the site, has said to trust. One file each:
// NAME.pub as minisign writes it, NAME.gpg as `gpg --export` does.
struct TrustedKey {
  std::string name, file;
  bool of_site = false;
  std::optional<PublicKey> minisign;
  std::string pgp;  // binary; empty: the other kind

  std::string id;    // minisign's key id, or GPG's fingerprint
  std::string user;  // GPG's user id
};

// The keys of /etc/rootlet/keys, which must be root's, and of the user's own
// $XDG_CONFIG_HOME/rootlet/keys, which must be his. A place that others can
// write is an error: there a key says nothing.
class KeyStore {
 public:
  enum class Whose {
    site,
    site_and_user
  };
  static Result<KeyStore> open(Whose whose);
  explicit KeyStore(std::vector<TrustedKey> keys) : keys_(std::move(keys)) {}

  const std::vector<TrustedKey>& keys() const { return keys_; }
  const TrustedKey* find(const KeyId& id) const;
  const TrustedKey* find_fingerprint(const std::string& fingerprint) const;
  std::vector<std::string> pgp_keyrings() const;

 private:
  std::vector<TrustedKey> keys_;
};

std::string key_directory(bool of_site);  // empty: no home to keep it in

// A key from text or bytes of either kind, armored or not. `name` may be empty.
Result<TrustedKey> read_key(const std::string& bytes, const std::string& name);

// Adds it under its name, under which there must be none, or removes that one.
// Errors: a name that is no file name, a place of others, no such key.
Status add_key(const TrustedKey& key, bool of_site);
Status remove_key(const std::string& name, bool of_site);

}  // namespace rootlet::trust
