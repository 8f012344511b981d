// SPDX-License-Identifier: MIT
#include "packaging/known_needs.hpp"

#include <fnmatch.h>

#include <array>
#include <optional>
#include <sstream>

namespace rootlet::packaging {
namespace {

constexpr std::uint64_t kMaximumText = 1 << 20;

// Who loads a library whose name begins so ...
struct Known {
  std::string_view kind;
  std::string_view user;  // begin of a used file's name
  std::array<std::string_view, 3>
      wanted;  // patterns of a path without leading slash: one is enough
  std::string_view what, add;
};
constexpr auto kKnown = std::to_array<Known>({
    {"plugin",
     "libQt5Gui.so",
     {"*/qt5/plugins/platforms/libq*.so", "*/plugins/platforms/libq*.so", ""},
     "draws through a platform plugin, and the image has none",
     "add libqt5gui5 with its platforms/libqxcb.so"},
    {"plugin",
     "libQt6Gui.so",
     {"*/qt6/plugins/platforms/libq*.so", "*/plugins/platforms/libq*.so", ""},
     "draws through a platform plugin, and the image has none",
     "add qt6-qpa-plugins"},
    {"plugin",
     "libgdk_pixbuf-2.0.so",
     {"*/gdk-pixbuf-2.0/*/loaders.cache", "", ""},
     "reads pictures through loaders that loaders.cache lists, and the image has none",
     "install libgdk-pixbuf-2.0-0 so that its maintainer script runs (build deb:...)"},
    {"plugin",
     "libgtk-3.so",
     {"usr/share/glib-2.0/schemas/gschemas.compiled", "*/glib-2.0/schemas/gschemas.compiled", ""},
     "reads its settings from gschemas.compiled, which the image lacks",
     "install libgtk-3-common so that its triggers run"},
    {"plugin",
     "libfontconfig.so",
     {"usr/share/fonts/*.[ot]tf", "usr/share/fonts/*.pf[ab]*", "*/fonts/*.[ot]tf"},
     "draws text, and the image has no font",
     "add fonts-dejavu-core"},
    {"terminal",
     "libncurses",
     {"*/terminfo/x/xterm*", "*/terminfo/78/xterm*", ""},
     "asks for the terminal's description, and the image has none",
     "add ncurses-base"},
    {"terminal",
     "libtinfo.so",
     {"*/terminfo/x/xterm*", "*/terminfo/78/xterm*", ""},
     "asks for the terminal's description, and the image has none",
     "add ncurses-base"},
    {"modules",
     "python3",
     {"*/python3*/encodings/__init__.py*", "*/python3*.zip", "*/Lib/encodings/*"},
     "starts from a standard library, and the image has none",
     "add libpython3-stdlib"},
    {"modules",
     "libpython3",
     {"*/python3*/encodings/__init__.py*", "*/python3*.zip", ""},
     "starts from a standard library, and the image has none",
     "add libpython3-stdlib"},
    {"modules",
     "perl",
     {"*/strict.pm", "", ""},
     "has no modules: not even strict.pm",
     "add perl-modules, or perl-base"},
    {"modules",
     "libjvm.so",
     {"*/lib/modules", "*/lib/rt.jar", ""},
     "starts from lib/modules, which the image lacks",
     "add openjdk-17-jre-headless"},
    {"modules",
     "libtcl8.6.so",
     {"*/tcl8.6/init.tcl", "*/tcl*/init.tcl", ""},
     "starts from init.tcl, which the image lacks",
     "add libtcl8.6 as a whole"},
    {"modules",
     "libR.so",
     {"*/R/library/base/*", "", ""},
     "starts from the package base, which the image lacks",
     "add r-base-core"},
    {"modules",
     "libmagic.so",
     {"*/magic.mgc", "", ""},
     "reads magic.mgc, which the image lacks",
     "add libmagic-mgc"},
    {"modules",
     "libproj.so",
     {"*/proj/proj.db", "", ""},
     "reads proj.db, which the image lacks",
     "add proj-data"},
    {"modules",
     "libmpi.so",
     {"*/openmpi*/*.so", "*/mpich*", "*/libopen-pal.so*"},
     "loads its transports as plugins, and the image has none",
     "add libopenmpi3 as a whole"},
});

bool any_path(const Tree& tree, const std::array<std::string_view, 3>& patterns) {
  bool found = false;
  tree.each([&](const std::string& path, const NodePtr& node) {
    if (found || node->is_directory()) return;
    for (const std::string_view pattern : patterns) {
      if (!pattern.empty() && ::fnmatch(std::string(pattern).c_str(), path.c_str(), 0) == 0) {
        found = true;
      }
    }
  });
  return found;
}

std::optional<std::string> user_of(const Needs& needs, std::string_view begin) {
  for (const std::string& name : needs.used) {
    if (name.starts_with(begin)) return name;
  }
  return std::nullopt;
}

std::string text_at(const Tree& tree, const std::string& path) {
  const auto place = tree.resolve(path);
  if (!place.ok() || !place.value().node->is_file()) return {};
  const Node& node = *place.value().node;
  const auto content = node.content.open();
  std::string text(std::min(kMaximumText, node.size), '\0');
  if (!content.ok() || !content.value().read_at(0, text.data(), text.size()).ok()) return {};
  return text;
}

// "passwd: files systemd [NOTFOUND=return] sss": nsswitch.conf(5). files and dns
// are in glibc since 2.34. Only of what tools ask for: Debian's own file names db
// and nis for netgroups, services and the like, and has neither.
void add_name_services(const Needs& needs, Findings& findings) {
  std::unordered_set<std::string> said;
  std::istringstream lines(text_at(needs.tree, "/etc/nsswitch.conf"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    words >> word;
    if (word != "passwd:" && word != "group:" && word != "initgroups:" && word != "hosts:")
      continue;
    while (words >> word) {
      if (word.starts_with('[') || word.ends_with(']') || word == "files" || word == "dns")
        continue;
      const std::string library = "libnss_" + word + ".so.2";
      if (needs.names.contains(library) || !said.insert(word).second) continue;
      findings.push_back({"nss", "/etc/nsswitch.conf",
                          "names " + word + ", and the image has no " + library,
                          "take the word out of nsswitch.conf, or add libnss-" + word});
    }
  }
}

// The directory with the modules of iconv(3).
void add_converters(const Needs& needs, Findings& findings) {
  if (!user_of(needs, "libc.so.6") || any_path(needs.tree, {"*/gconv/gconv-modules*", "", ""}))
    return;
  findings.push_back(
      {"iconv", "libc.so.6",
       "converts between character sets with modules in gconv, and the image has none",
       "add libc6 (or libc-gconv-modules-extra) as a whole, if the tool reads "
       "anything but UTF-8"});
}

std::string variable(const Policy& policy, std::string_view name) {
  for (const std::string& entry : policy.env) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

// "de_DE.utf8" of "de_DE.UTF-8": as glibc names it.
std::string normal_locale(const std::string& locale) {
  const std::size_t dot = locale.find('.');
  if (dot == std::string::npos) return locale;
  std::string out = locale.substr(0, dot + 1);
  for (const char c : locale.substr(dot + 1)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

void add_locale(const Needs& needs, Findings& findings) {
  for (const std::string_view name : {"LC_ALL", "LANG", "LC_CTYPE"}) {
    const std::string wanted = variable(needs.policy, name);
    // C.UTF-8 is in glibc since 2.35; before, libc-bin brings it.
    if (wanted.empty() || wanted == "C" || wanted == "POSIX") continue;
    const std::string normal = normal_locale(wanted);
    const std::string directory = "/usr/lib/locale/" + normal;
    const auto archive = needs.tree.resolve("/usr/lib/locale/locale-archive");
    const bool musl = any_path(needs.tree, {"lib/ld-musl-*", "", ""});
    if (musl || needs.tree.resolve(directory).ok()) continue;
    // All of it may be large: names stand in one table, somewhere.
    bool in_archive = false;
    if (archive.ok() && archive.value().node->is_file()) {
      const Node& node = *archive.value().node;
      const auto content = node.content.open();
      std::string text(std::min<std::uint64_t>(node.size, 256 << 20), '\0');
      in_archive = content.ok() && content.value().read_at(0, text.data(), text.size()).ok() &&
                   text.find(normal + '\0') != std::string::npos;
    }
    if (in_archive) continue;
    findings.push_back({"locale", std::string(name) + "=" + wanted,
                        "is asked for by the policy, and the image has no such locale",
                        "add locales-all, or say C.UTF-8"});
  }
}

bool wants_network(const Policy& policy) {
  for (const auto& [option, value] : policy.isolation) {
    if (option == "net" && value != "none") return true;
  }
  return false;
}

// Where the TLS libraries of the distributions look.
void add_certificates(const Needs& needs, Findings& findings) {
  for (const std::string_view name :
       {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"}) {
    const std::string wanted = variable(needs.policy, name);
    if (wanted.empty() || needs.tree.resolve(wanted).ok()) continue;
    findings.push_back({"certificates", std::string(name) + "=" + wanted,
                        "is asked for by the policy, and the image has no such file",
                        "add ca-certificates"});
  }
  std::optional<std::string> user;
  for (const std::string_view library :
       {"libssl.so", "libgnutls.so", "libnss3.so", "libmbedtls.so"}) {
    if (!user) user = user_of(needs, library);
  }
  if (!user || !wants_network(needs.policy)) return;
  for (const char* bundle : {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
                             "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"}) {
    if (needs.tree.resolve(bundle).ok()) return;
  }
  if (any_path(needs.tree, {"*/ssl/cacert.pem", "*/certifi/cacert.pem", ""})) return;
  findings.push_back({"certificates", *user,
                      "speaks TLS and the policy asks for the network, and the image has no "
                      "certificates of authorities",
                      "add ca-certificates"});
}

}  // namespace

void add_known_needs(const Needs& needs, Findings& findings) {
  std::unordered_set<std::string_view> said;
  for (const Known& known : kKnown) {
    const auto user = user_of(needs, known.user);
    if (!user || said.contains(known.add) || any_path(needs.tree, known.wanted)) continue;
    said.insert(known.add);
    findings.push_back(
        {std::string(known.kind), *user, std::string(known.what), std::string(known.add)});
  }
  add_name_services(needs, findings);
  add_converters(needs, findings);
  add_locale(needs, findings);
  add_certificates(needs, findings);
}

}  // namespace rootlet::packaging
