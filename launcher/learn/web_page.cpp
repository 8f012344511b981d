// SPDX-License-Identifier: MIT
#include "launcher/learn/web_page.hpp"

#include <string_view>

namespace rootlet::learn {
namespace {

constexpr std::string_view kHead =
#include "launcher/learn/web_page.html.inc"
    ;

// JSON in which no byte can end a script element or begin a comment in one: "<", "&" and
// ">" occur in texts alone, where they can be written by number. U+2028 and U+2029 are
// line ends to old script engines.
std::string for_script(const std::string& json) {
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else if (json.compare(i, 2, "\xe2\x80") == 0 && i + 2 < json.size() &&
               (json[i + 2] == '\xa8' || json[i + 2] == '\xa9')) {
      out += json[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string web_page(const Recording& recording) {
  std::string page(kHead);
  constexpr std::string_view kPlace = "@RECORDING@";
  page.replace(page.find(kPlace), kPlace.size(), for_script(write_recording(recording)));
  return page;
}

}  // namespace rootlet::learn
