// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

bool is_remote(const std::string& address);  // http://, https://

// The bytes at an address, a path or an URL, of which there are at most
// `largest`; by Debian's curl. Errors: curl's own words, with the address.
Result<std::string> fetch_text(const std::string& address, std::uint64_t largest);

// The whole file into `path`, which must not be there. Given up when nothing
// comes for `patience` seconds.
Status fetch_file(const std::string& address, const std::string& path, std::uint64_t largest,
                  bool show, unsigned patience = 60);

}  // namespace rootlet
