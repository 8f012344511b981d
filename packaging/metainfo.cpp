// SPDX-License-Identifier: MIT
#include "packaging/metainfo.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace rootlet::packaging {
namespace {

// Of the SPDX list, those that tools of this field have. A checker takes any
// other word for a mistake, so a licence with one is left out.
constexpr auto kLicences = std::to_array<std::string_view>({"AGPL-3.0-only",
                                                            "AGPL-3.0-or-later",
                                                            "Apache-2.0",
                                                            "Artistic-1.0-Perl",
                                                            "Artistic-2.0",
                                                            "BSD-2-Clause",
                                                            "BSD-3-Clause",
                                                            "BSL-1.0",
                                                            "CC-BY-4.0",
                                                            "CC0-1.0",
                                                            "EUPL-1.2",
                                                            "GPL-1.0-or-later",
                                                            "GPL-2.0-only",
                                                            "GPL-2.0-or-later",
                                                            "GPL-3.0-only",
                                                            "GPL-3.0-or-later",
                                                            "ISC",
                                                            "LGPL-2.1-only",
                                                            "LGPL-2.1-or-later",
                                                            "LGPL-3.0-only",
                                                            "LGPL-3.0-or-later",
                                                            "MIT",
                                                            "MPL-2.0",
                                                            "PSF-2.0",
                                                            "Python-2.0",
                                                            "Unlicense",
                                                            "X11",
                                                            "Zlib"});

bool is_spdx(const std::string& licence) {
  std::istringstream words(licence);
  bool identifier = false;  // the last word was one
  for (std::string word; words >> word;) {
    const bool joins = word == "AND" || word == "OR";
    const bool known = std::find(kLicences.begin(), kLicences.end(), word) != kLicences.end();
    if (joins ? !identifier : (!known || identifier)) return false;
    identifier = !joins;
  }
  return identifier;
}

std::string xml(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
  }
  return out;
}

// Letters and digits; the first is no digit, which a part of an id may not have.
std::string id_part(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool digit = byte >= '0' && byte <= '9';
    const bool plain = digit || ((byte | 0x20u) >= 'a' && (byte | 0x20u) <= 'z');
    if (digit && out.empty()) out += '_';
    out += plain ? letter : '_';
  }
  return out.empty() ? "_" : out;
}

bool is_web_address(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

}  // namespace

Metainfo metainfo_of(const Policy& policy, const std::string& id) {
  // Not the tool's authors' name: it is not they who packed it.
  const std::string component = "io.rootlet.packed." + id_part(id);
  const std::string name = xml(policy.name);
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<component type=\"console-application\">\n"
      "  <id>" +
      component +
      "</id>\n"
      "  <metadata_license>CC0-1.0</metadata_license>\n";
  if (is_spdx(policy.licence)) {
    text += "  <project_license>" + policy.licence + "</project_license>\n";
  }
  text += "  <name>" + name + "</name>\n  <summary>The command-line tool " + name +
          "</summary>\n"
          "  <description>\n    <p>" +
          name +
          " with all the files that it needs, in one executable file that runs it in a root "
          "directory of its own.</p>\n  </description>\n"
          "  <launchable type=\"desktop-id\">" +
          xml(id) + ".desktop</launchable>\n";
  if (is_web_address(policy.url)) {
    text += "  <url type=\"homepage\">" + xml(policy.url) + "</url>\n";
  }
  text += "  <content_rating type=\"oars-1.1\"/>\n  <provides>\n";
  for (const auto& [command, path] : policy.commands) {
    text += "    <binary>" + xml(command) + "</binary>\n";
  }
  if (policy.commands.empty()) text += "    <binary>" + xml(id) + "</binary>\n";
  text += "  </provides>\n</component>\n";
  return {"usr/share/metainfo/" + component + ".appdata.xml", std::move(text)};
}

}  // namespace rootlet::packaging
