// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace rootlet {

// The head of a zsync control file: what the file that it describes is.
struct ZsyncHeader {
  std::uint64_t length = 0;  // bytes
  std::string sha1;          // lower-case hexadecimal
  std::string url;           // as it stands there: may be relative
};
Result<ZsyncHeader> parse_zsync_header(std::string_view control, const std::string& name);

// `reference` as seen from the document at `base` (RFC 3986, 5.2, of the forms
// that zsync files hold): an URL, "/path", or a name beside it.
std::string resolve_url(const std::string& base, const std::string& reference);

}  // namespace rootlet
