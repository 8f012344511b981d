// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <string>

namespace rootlet::test {

// Writes ustar archives byte by byte, so that a test can say what no archiver
// would: names that climb, links to nothing, devices without being root.
class TarMaker {
 public:
  struct Member {
    std::string name;
    char type = '0';  // 0 file, 1 hard link, 2 symlink, 3 char, 4 block, 5 directory, 6 fifo
    std::string bytes = "";
    std::string link = "";
    unsigned mode = 0644, uid = 0, gid = 0, major = 0, minor = 0;
    unsigned long mtime = 1000000000;
  };

  TarMaker& add(const Member& member) {
    char header[512] = {};
    const auto text = [&](int at, const std::string& value) {
      std::memcpy(header + at, value.data(), value.size());
    };
    // Digits up to the field's last byte, which stays a NUL.
    const auto octal = [&](int at, int width, unsigned long value) {
      for (int i = width - 2; i >= 0; --i, value /= 8) {
        header[at + i] = static_cast<char>('0' + value % 8);
      }
    };
    text(0, member.name);
    octal(100, 8, member.mode);
    octal(108, 8, member.uid);
    octal(116, 8, member.gid);
    octal(124, 12, member.bytes.size());
    octal(136, 12, member.mtime);
    header[156] = member.type;
    text(157, member.link);
    text(257, std::string("ustar\00000", 8));
    octal(329, 8, member.major);
    octal(337, 8, member.minor);
    std::memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    octal(148, 7, sum);
    bytes_.append(header, sizeof header);
    bytes_ += member.bytes;
    bytes_.append((512 - member.bytes.size() % 512) % 512, '\0');
    return *this;
  }

  std::string make() const { return bytes_ + std::string(1024, '\0'); }

 private:
  std::string bytes_;
};

}  // namespace rootlet::test
