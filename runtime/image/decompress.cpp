// SPDX-License-Identifier: MIT
#include "runtime/image/decompress.hpp"

#include <libdeflate.h>
#include <lzma.h>
#include <zstd.h>

#include "runtime/image/lz4_block.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/workspace.hpp"

// libsquashfuse asks for its decompressors through sqfs_decompressor_get().
// Defining it here keeps the library's own table, and with it liblzo2, out of
// the link, and lets a context live longer than one block (workspace.hpp).
namespace rootlet::image {
namespace {

Decode lzo_decode = nullptr;

// libdeflate, twice as quick as zlib: it decodes whole blocks only, which is
// what squashfs has.
sqfs_err decode_zlib(void* in, std::size_t in_size, void* out, std::size_t* out_size) {
  auto& context = Workspace::mine().deflate;
  if (context == nullptr) context = ::libdeflate_alloc_decompressor();
  if (context == nullptr) return SQFS_ERR;
  const libdeflate_result code =
      ::libdeflate_zlib_decompress(context, in, in_size, out, *out_size, out_size);
  return code == LIBDEFLATE_SUCCESS ? SQFS_OK : SQFS_ERR;
}

sqfs_err decode_xz(void* in, std::size_t in_size, void* out, std::size_t* out_size) {
  // 64 MiB: a squashfs dictionary is at most one block (1 MiB); anything that
  // asks for more is made to exhaust memory.
  std::uint64_t memory_limit = 64u << 20;
  std::size_t in_at = 0;
  std::size_t out_at = 0;
  const lzma_ret code = ::lzma_stream_buffer_decode(
      &memory_limit, 0, nullptr, static_cast<const std::uint8_t*>(in), &in_at, in_size,
      static_cast<std::uint8_t*>(out), &out_at, *out_size);
  *out_size = out_at;
  return code == LZMA_OK ? SQFS_OK : SQFS_ERR;
}

sqfs_err decode_lz4(void* in, std::size_t in_size, void* out, std::size_t* out_size) {
  const auto size = decode_lz4_block({static_cast<const std::uint8_t*>(in), in_size},
                                     {static_cast<std::uint8_t*>(out), *out_size});
  if (!size) return SQFS_ERR;
  *out_size = *size;
  return SQFS_OK;
}

sqfs_err decode_zstd(void* in, std::size_t in_size, void* out, std::size_t* out_size) {
  auto& context = Workspace::mine().zstd;
  if (context == nullptr) context = ::ZSTD_createDCtx();
  if (context == nullptr) return SQFS_ERR;
  const std::size_t size = ::ZSTD_decompressDCtx(context, out, *out_size, in, in_size);
  if (::ZSTD_isError(size)) return SQFS_ERR;
  *out_size = size;
  return SQFS_OK;
}

sqfs_err decode_lzo(void* in, std::size_t in_size, void* out, std::size_t* out_size) {
  return lzo_decode(in, in_size, out, out_size) ? SQFS_OK : SQFS_ERR;
}

}  // namespace

std::string compression_name(int id) {
  switch (id) {
    case ZLIB_COMPRESSION: return "gzip";
    case LZMA_COMPRESSION: return "lzma";
    case LZO_COMPRESSION: return "lzo";
    case XZ_COMPRESSION: return "xz";
    case LZ4_COMPRESSION: return "lz4";
    case ZSTD_COMPRESSION: return "zstd";
    default: return "method " + std::to_string(id);
  }
}

void add_lzo(Decode decode) { lzo_decode = decode; }

}  // namespace rootlet::image

extern "C" sqfs_decompressor sqfs_decompressor_get(sqfs_compression_type type) {
  using namespace rootlet::image;
  switch (type) {
    case ZLIB_COMPRESSION: return decode_zlib;
    case XZ_COMPRESSION: return decode_xz;
    case LZ4_COMPRESSION: return decode_lz4;
    case ZSTD_COMPRESSION: return decode_zstd;
    case LZO_COMPRESSION: return lzo_decode != nullptr ? decode_lzo : nullptr;
    default: return nullptr;
  }
}
