// SPDX-License-Identifier: MIT
#include <cstddef>

#include "runtime/base/trim_never.hpp"

// Debian's libzstd also decodes what zstd 0.5 to 0.7 wrote (2015 and 2016).
// Squashfs took zstd up in Linux 4.14 (2017), with version 1.0: no image holds
// such a frame. One that does is damaged or made to harm, and gets an error:
// its size cannot be told, and a context for it cannot be had. 82 KB.
TRIM_TARGET

extern "C" {

// Frames without a size: ZSTD_error_GENERIC, and ZSTD_CONTENTSIZE_ERROR.
void ZSTDv05_findFrameSizeInfoLegacy(const void*, std::size_t, std::size_t* size,
                                     unsigned long long* bound) {
  *size = static_cast<std::size_t>(-1);
  *bound = 0ull - 2;
}
void ZSTDv06_findFrameSizeInfoLegacy(const void* frame, std::size_t length, std::size_t* size,
                                     unsigned long long* bound) {
  ZSTDv05_findFrameSizeInfoLegacy(frame, length, size, bound);
}
void ZSTDv07_findFrameSizeInfoLegacy(const void* frame, std::size_t length, std::size_t* size,
                                     unsigned long long* bound) {
  ZSTDv05_findFrameSizeInfoLegacy(frame, length, size, bound);
}

// No context: ZSTD_error_memory_allocation.
void* ZSTDv05_createDCtx() { return nullptr; }
void* ZSTDv06_createDCtx() { return nullptr; }
void* ZSTDv07_createDCtx() { return nullptr; }

}  // extern "C"

// After these: nobody comes here without a context, and the ZBUFF functions
// belong to streaming, which squashfs does not use.
TRIM_NEVER(ZBUFFv05_createDCtx);
TRIM_NEVER(ZBUFFv05_decompressContinue);
TRIM_NEVER(ZBUFFv05_decompressInitDictionary);
TRIM_NEVER(ZBUFFv05_freeDCtx);
TRIM_NEVER(ZBUFFv06_createDCtx);
TRIM_NEVER(ZBUFFv06_decompressContinue);
TRIM_NEVER(ZBUFFv06_decompressInitDictionary);
TRIM_NEVER(ZBUFFv06_freeDCtx);
TRIM_NEVER(ZBUFFv07_createDCtx);
TRIM_NEVER(ZBUFFv07_decompressContinue);
TRIM_NEVER(ZBUFFv07_decompressInitDictionary);
TRIM_NEVER(ZBUFFv07_freeDCtx);
TRIM_NEVER(ZSTDv05_decompress_usingDict);
TRIM_NEVER(ZSTDv05_freeDCtx);
TRIM_NEVER(ZSTDv05_getFrameParams);
TRIM_NEVER(ZSTDv06_decompress_usingDict);
TRIM_NEVER(ZSTDv06_freeDCtx);
TRIM_NEVER(ZSTDv06_getFrameParams);
TRIM_NEVER(ZSTDv07_decompress_usingDict);
TRIM_NEVER(ZSTDv07_freeDCtx);
TRIM_NEVER(ZSTDv07_getFrameParams);
