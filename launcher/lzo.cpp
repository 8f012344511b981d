// SPDX-License-Identifier: MIT
#include "launcher/lzo.hpp"

#include <lzo/lzo1x.h>

#include "runtime/image/decompress.hpp"

namespace rootlet {
namespace {

bool decode(const void* in, std::size_t in_size, void* out, std::size_t* out_size) {
  lzo_uint size = *out_size;
  const int status = ::lzo1x_decompress_safe(static_cast<const lzo_bytep>(in), in_size,
                                             static_cast<lzo_bytep>(out), &size, nullptr);
  *out_size = size;
  return status == LZO_E_OK;
}

}  // namespace

void add_lzo_images() { image::add_lzo(decode); }

}  // namespace rootlet
