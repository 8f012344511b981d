// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rootlet::trust {

// RFC 4648 with padding, as minisign and OpenPGP's armor write it.
std::string to_base64(std::span<const unsigned char> bytes);

// Strict: no blank, no missing padding, no bit beyond the last byte, so that
// two texts never mean the same bytes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace rootlet::trust
