// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "launcher/command_line.hpp"
#include "launcher/verbs.hpp"
#include "runtime/os/fd.hpp"
#include "trust/openpgp.hpp"
#include "trust/verdict.hpp"

namespace rootlet {
namespace {

using trust::TrustedKey;

constexpr std::string_view kAdd = "add the key";
constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet trust add maker.pub              a file of minisign's, or of gpg's\n"
    "  rootlet trust add RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n"
    "  rootlet trust add alice@example.org      a key that your gpg knows\n"
    "  rootlet trust add tool.AppImage          the key that signed it: compare it\n"
    "                                           with what its maker says elsewhere\n"
    "  rootlet trust list\n"
    "\n"
    "Keys: ~/.config/rootlet/keys, and for all users /etc/rootlet/keys (--site).\n";

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// The key that a file was signed with, as the file itself tells it.
Result<TrustedKey> key_of_image(const std::string& image) {
  const os::Fd opened = TRY(os::open_at(AT_FDCWD, image, O_RDONLY));
  const trust::SignedFile file = TRY(trust::signed_file(opened.get(), image));
  const trust::Verdict verdict = TRY(trust::judge(file, trust::KeyStore({})));
  if (verdict.answer == trust::Verdict::Answer::bad) {
    return plain_error(kAdd, image, "its signature is bad: " + verdict.reason);
  }
  for (const trust::Finding& finding : verdict.findings) {
    if (finding.by) return *finding.by;
  }
  return plain_error(
      kAdd, image,
      verdict.findings.empty() ? "it has no signature" : "its signature does not carry the key",
      "get the key from its maker: rootlet trust add FILE");
}

Result<TrustedKey> find_key(const std::string& text) {
  if (!is_file(text)) {
    if (text.starts_with("RW") && text.size() == 56) return trust::read_key(text, text);
    if (text.find('/') != std::string::npos) {
      return Error{ENOENT, std::string(kAdd), text, "rootlet trust add --help", {}};
    }
    const std::string exported = TRY(trust::export_pgp(text));
    return trust::read_key(exported, text);
  }
  const os::Fd file = TRY(os::open_at(AT_FDCWD, text, O_RDONLY));
  const std::string head = TRY(os::read_file(AT_FDCWD, os::fd_path(file.get()), 1 << 20));
  if (head.starts_with("\177ELF") || head.starts_with("hsqs")) return key_of_image(text);
  return trust::read_key(head, text);
}

// maker.pub is "maker", tool.AppImage and RW... are told by the key's id.
std::string default_name(const TrustedKey& key, const std::string& text) {
  const std::string base = text.substr(text.rfind('/') + 1);
  const std::size_t dot = base.rfind('.');
  const std::string suffix = dot == std::string::npos ? "" : base.substr(dot);
  if (suffix == ".pub" || suffix == ".asc" || suffix == ".gpg") return base.substr(0, dot);
  const bool typed = !key.pgp.empty() && text.find('/') == std::string::npos && !is_file(text);
  return typed ? text : key.id;
}

Status add(const std::string& text, const std::string& name, bool of_site) {
  TrustedKey key = TRY(find_key(text));
  key.name = name.empty() ? default_name(key, text) : name;
  TRY(trust::add_key(key, of_site));
  std::printf("trusted as %s: %s %s%s\n", key.name.c_str(), key.minisign ? "minisign" : "GPG",
              key.id.c_str(),
              key.user.empty() ? "" : (", calls itself " + printable(key.user)).c_str());
  if (key.minisign) std::printf("  %s\n", key.minisign->base64().c_str());
  return Done{};
}

Status list(bool json) {
  const trust::KeyStore store = TRY(trust::KeyStore::open(trust::KeyStore::Whose::site_and_user));
  auto all = nlohmann::ordered_json::array();
  for (const TrustedKey& key : store.keys()) {
    const std::string kind = key.minisign ? "minisign" : "GPG";
    all.push_back({{"name", key.name},
                   {"kind", key.minisign ? "minisign" : "gpg"},
                   {"id", key.id},
                   {"user", key.user},
                   {"public_key", key.minisign ? key.minisign->base64() : ""},
                   {"site", key.of_site},
                   {"file", key.file}});
    if (!json) {
      std::printf("%s  %s %s  %s%s\n", key.name.c_str(), kind.c_str(), key.id.c_str(),
                  key.of_site ? "(site) " : "", printable(key.user).c_str());
    }
  }
  if (json) {
    std::printf("%s\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else if (store.keys().empty()) {
    std::fputs("no keys (rootlet trust add KEY adds one)\n", stderr);
  }
  return Done{};
}

}  // namespace

int trust_verb(int argc, char** argv) {
  CLI::App app("Keeps the keys by which images are verified.", "rootlet trust");
  app.require_subcommand(1);
  app.footer(kExamples);
  std::string text, name;
  bool site = false, json = false;
  CLI::App* adds = app.add_subcommand("add", "trust a key from now on");
  adds->add_option("KEY", text, "a file, a minisign key, a name that gpg knows, a signed image")
      ->required();
  adds->add_option("--name", name, "what to call it [the file's name, or its id]");
  adds->add_flag("--site", site, "for all users (root)");
  CLI::App* lists = app.add_subcommand("list", "the keys that are trusted");
  lists->add_flag("--json", json, "as JSON");
  CLI::App* removes = app.add_subcommand("remove", "trust it no more");
  removes->add_option("NAME", name, "as list shows it")->required();
  removes->add_flag("--site", site, "of all users (root)");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const auto done = adds->parsed()    ? add(text, name, site)
                    : lists->parsed() ? list(json)
                                      : trust::remove_key(name, site);
  if (done.ok()) return 0;
  print_error(done.error());
  return done.error().exit_code;
}

}  // namespace rootlet
