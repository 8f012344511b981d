// SPDX-License-Identifier: MIT
#include "trust/key_store.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "runtime/os/fd.hpp"
#include "trust/openpgp.hpp"
#include "trust/pgp_key.hpp"

namespace rootlet::trust {
namespace {

constexpr std::string_view kRead = "read the trusted keys";
constexpr std::size_t kLargestKey = 1 << 20;
constexpr std::size_t kMostKeys = 1000;

// Root, or what a user namespace without root shows of it.
uid_t site_owner() {
  struct stat status {};
  return ::stat("/", &status) == 0 ? status.st_uid : 0;
}

// Whoever can write here decides what is trusted.
Status check_keeper(int fd, const std::string& path, bool of_site) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kRead, path);
  if (status.st_uid != (of_site ? site_owner() : ::geteuid())) {
    return plain_error(kRead, path, of_site ? "it is not root's" : "it is not yours",
                       (of_site ? "chown root " : "take it away, or chown it to you: ") + path);
  }
  if ((status.st_mode & 022) != 0) {
    return plain_error(kRead, path, "others may write it", "chmod go-w " + path);
  }
  return Done{};
}

std::vector<std::string> names_in(int directory) {
  std::vector<std::string> names;
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(again), ::closedir);
  if (!listing) return names;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (name[0] != '.' && (name.ends_with(".pub") || name.ends_with(".gpg"))) {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<TrustedKey> load_key(int directory, const std::string& path, const std::string& file,
                            bool of_site) {
  const os::Fd opened = TRY(os::open_at(directory, file, O_RDONLY | O_NONBLOCK));
  TRY(check_keeper(opened.get(), path + "/" + file, of_site));
  const std::string bytes = TRY(os::read_file(AT_FDCWD, os::fd_path(opened.get()), kLargestKey));
  TrustedKey key = TRY(read_key(bytes, path + "/" + file));
  key.name = file.substr(0, file.size() - 4);
  key.file = path + "/" + file;
  key.of_site = of_site;
  return key;
}

// None, where there is no such directory.
Status load(std::vector<TrustedKey>& keys, bool of_site) {
  const std::string path = key_directory(of_site);
  if (path.empty()) return Done{};
  const os::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return Done{};
    return last_error(kRead, path);
  }
  TRY(check_keeper(directory.get(), path, of_site));
  for (const std::string& name : names_in(directory.get())) {
    if (keys.size() == kMostKeys) return plain_error(kRead, path, "more than 1000 keys");
    keys.push_back(TRY(load_key(directory.get(), path, name, of_site)));
  }
  return Done{};
}

bool is_key_name(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.size() <= 200 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != '/' && c != 0x7f;
         });
}

// Made with all directories above it, as `mkdir -p -m 755` makes them.
Result<os::Fd> make_directory(const std::string& path, bool of_site) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    ::mkdir(path.substr(0, at).c_str(), 0755);
  }
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return last_error("add the key", path, of_site ? "this needs root" : "");
  }
  os::Fd directory = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  TRY(check_keeper(directory.get(), path, of_site));
  return directory;
}

}  // namespace

std::string key_directory(bool of_site) {
  if (of_site) return "/etc/rootlet/keys";
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr && value[0] == '/' ? value : "");
  };
  const std::string config = variable("XDG_CONFIG_HOME");
  if (!config.empty()) return config + "/rootlet/keys";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.config/rootlet/keys";
}

Result<TrustedKey> read_key(const std::string& bytes, const std::string& name) {
  TrustedKey key;
  key.file = name;
  const bool text = bytes.starts_with("untrusted comment:") || bytes.starts_with("RW");
  if (text) {
    key.minisign = TRY(parse_public_key(bytes, name));
    key.id = id_text(key.minisign->id);
    return key;
  }
  const auto binary = without_armor(bytes);
  if (!binary) return plain_error("read the key", name, "its armor is damaged");
  const PgpKey described = TRY(describe_pgp_key(*binary, name));
  key.pgp = *binary;
  key.id = described.fingerprint;
  key.user = described.user;
  return key;
}

Result<KeyStore> KeyStore::open(Whose whose) {
  std::vector<TrustedKey> keys;
  TRY(load(keys, true));
  if (whose == Whose::site_and_user) TRY(load(keys, false));
  return KeyStore(std::move(keys));
}

const TrustedKey* KeyStore::find(const KeyId& id) const {
  for (const TrustedKey& key : keys_) {
    if (key.minisign && key.minisign->id == id) return &key;
  }
  return nullptr;
}

const TrustedKey* KeyStore::find_fingerprint(const std::string& fingerprint) const {
  for (const TrustedKey& key : keys_) {
    if (!key.pgp.empty() && key.id == fingerprint) return &key;
  }
  return nullptr;
}

std::vector<std::string> KeyStore::pgp_keyrings() const {
  std::vector<std::string> keyrings;
  for (const TrustedKey& key : keys_) {
    if (!key.pgp.empty()) keyrings.push_back(key.pgp);
  }
  return keyrings;
}

Status add_key(const TrustedKey& key, bool of_site) {
  constexpr std::string_view kAdd = "add the key";
  if (!is_key_name(key.name)) {
    return plain_error(kAdd, key.name, "not a name for a key", "--name NAME, without / and blanks");
  }
  const std::string path = key_directory(of_site);
  if (path.empty()) return plain_error(kAdd, "HOME", "it is not set");
  std::vector<TrustedKey> known;
  TRY(load(known, of_site));
  for (const TrustedKey& other : known) {
    if (other.id == key.id) return plain_error(kAdd, other.name, "this key is trusted already");
    if (other.name == key.name) {
      return plain_error(kAdd, key.name, "another key has this name",
                         "--name NAME, or first: rootlet trust remove " + key.name);
    }
  }
  const os::Fd directory = TRY(make_directory(path, of_site));
  const std::string name = key.name + (key.minisign ? ".pub" : ".gpg");
  const std::string content = key.minisign ? key.minisign->file_text() : key.pgp;
  // Whole or not at all: until it is renamed it has a name that no key has.
  const std::string part = ".new-" + name;
  ::unlinkat(directory.get(), part.c_str(), 0);
  os::Fd file = TRY(os::open_at(directory.get(), part, O_WRONLY | O_CREAT | O_EXCL, 0644));
  ::fchmod(file.get(), 0644);
  auto written = os::write_all(file.get(), content, kAdd, path + "/" + name);
  if (written.ok() &&
      ::renameat(directory.get(), part.c_str(), directory.get(), name.c_str()) != 0) {
    written = last_error(kAdd, path + "/" + name);
  }
  if (!written.ok()) ::unlinkat(directory.get(), part.c_str(), 0);
  return written;
}

Status remove_key(const std::string& name, bool of_site) {
  const std::string path = key_directory(of_site);
  if (is_key_name(name) && !path.empty()) {
    for (const char* kind : {".pub", ".gpg"}) {
      if (::unlink((path + "/" + name + kind).c_str()) == 0) return Done{};
      if (errno != ENOENT) return last_error("remove the key", path + "/" + name + kind);
    }
  }
  return plain_error("remove the key", name, "no key of this name is trusted",
                     "rootlet trust list shows them");
}

}  // namespace rootlet::trust
