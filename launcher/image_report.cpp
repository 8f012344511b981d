// SPDX-License-Identifier: MIT
#include "launcher/image_report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <sstream>

#include "launcher/image_files.hpp"
#include "launcher/sha256.hpp"
#include "packaging/stub.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kInspect = "inspect";
// Sections of interest lie in the program in front, which is small.
constexpr std::uint64_t kLargestStub = 64 << 20;

// Where the squashfs begins, and what the file is.
Status locate(int fd, ImageReport& report) {
  std::array<char, 11> head{};
  const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
  if (got < 0) return last_error(kInspect, report.path);
  if (got >= 4 && std::memcmp(head.data(), "hsqs", 4) == 0) {
    report.format = "squashfs";
    return Done{};
  }
  if (got < 4 || std::memcmp(head.data(), "\177ELF", 4) != 0) {
    return plain_error(kInspect, report.path, "neither an AppImage nor a squashfs");
  }
  const bool magic = got == 11 && std::memcmp(head.data() + 8, "AI\2", 3) == 0;
  report.format = magic ? "type-2 AppImage" : "ELF with a squashfs";
  report.offset = TRY(elf_end(fd, report.path));
  return Done{};
}

void read_sections(int fd, ImageReport& report) {
  if (report.offset == 0 || report.offset > kLargestStub) return;
  std::string stub(report.offset, '\0');
  if (::pread(fd, stub.data(), stub.size(), 0) != static_cast<ssize_t>(stub.size())) return;
  report.update_information = packaging::section_text(stub, ".upd_info");
  report.signature = packaging::section_text(stub, ".sha256_sig");
}

Status read_image(int fd, ImageReport& report) {
  const ImageFiles files =
      TRY(read_image_files(Payload{fd, report.offset, report.superblock.bytes_used}, report.path));
  if (files.policy) report.policy = TRY(decode_policy(*files.policy));
  report.policy_text = files.policy_toml.value_or("");
  // Absent: a symlink into usr/share, as many AppImages have it.
  std::istringstream lines(files.desktop.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Name=")) continue;
    report.desktop_name = line.substr(5);
    break;
  }
  return Done{};
}

}  // namespace

Result<ImageReport> read_report(const std::string& path) {
  ImageReport report;
  report.path = path;
  const int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (raw < 0) return last_error(kInspect, path);
  const os::Fd file(raw);
  struct stat status {};
  if (::fstat(raw, &status) != 0) return last_error(kInspect, path);
  if (!S_ISREG(status.st_mode)) return plain_error(kInspect, path, "not a regular file");
  report.size = static_cast<std::uint64_t>(status.st_size);
  TRY(locate(raw, report));
  report.superblock = TRY(read_superblock(raw, report.offset, path));
  read_sections(raw, report);
  TRY(read_image(raw, report));
  report.sha256 = TRY(sha256_of(raw, path));
  return report;
}

}  // namespace rootlet
