// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace rootlet::image {

// The name of a squashfs compression id ("zstd"), or "method N".
std::string compression_name(int id);

// Adds a method that the stub does not carry (the rootlet command adds lzo:
// liblzo2 is GPL, so it stays out of every packaged file). `decode` returns
// false for damaged input and sets *out_size to what it wrote.
using Decode = bool (*)(const void* in, std::size_t in_size, void* out, std::size_t* out_size);
void add_lzo(Decode decode);

}  // namespace rootlet::image
