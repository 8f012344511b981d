// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

// liblzma chooses its CRC64 before main(), by two questions to the processor, which
// leave a virtual machine each time (base/trim_start.cpp). Squashfs' xz blocks have
// CRC32 (mksquashfs, and all that the kernel's decoder takes), so this one is for who
// made an image by other means: right, and a fiftieth as fast. Linked into what starts
// runs. 9 KB.
//
// CRC-64/XZ (xz-file-format 1.1, 1.1.2 and 5.1): the bits reversed, all ones before and
// after. `before`: of what came before, or 0.
extern "C" std::uint64_t lzma_crc64(const std::uint8_t* bytes, std::size_t size,
                                    std::uint64_t before) {
  constexpr std::uint64_t kPolynomial = 0xc96c5795d7870f42;
  std::uint64_t sum = ~before;
  for (; size > 0; --size, ++bytes) {
    sum ^= *bytes;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
  }
  return ~sum;
}
