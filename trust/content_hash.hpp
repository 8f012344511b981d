// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/payload/zip.hpp"

namespace rootlet::trust {

// The hashes that signatures are made of: over the bytes of a file, where those
// that hold signatures count as zeros.

struct ZeroRange {
  std::uint64_t offset = 0, length = 0;  // bytes, from the start of what is hashed
};

// Told now and then how far a hash is, in bytes.
using HashProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

using Blake2b = std::array<unsigned char, 64>;
Result<Blake2b> blake2b_of(const FileRange& range, const std::vector<ZeroRange>& zeroed,
                           const std::string& name, const HashProgress& progress = {});

Blake2b blake2b_of_text(std::string_view text);

// In lower-case hexadecimal: what AppImage tools have GPG sign.
Result<std::string> sha256_text_of(const FileRange& range, const std::vector<ZeroRange>& zeroed,
                                   const std::string& name, const HashProgress& progress = {});

}  // namespace rootlet::trust
