// SPDX-License-Identifier: MIT
#include "launcher/image_identity.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "launcher/image_files.hpp"

namespace rootlet {
namespace {

void read_desktop(const std::string& text, ImageIdentity& identity) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto value = [&](std::string_view key, std::string& to) {
      if (to.empty() && line.starts_with(key)) to = line.substr(key.size());
    };
    value("Name=", identity.name);
    value("X-AppImage-Version=", identity.version);
  }
}

}  // namespace

Result<ImageIdentity> read_identity(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error("read the image", name);
  const Payload payload =
      TRY(find_payload_in({fd, 0, static_cast<std::uint64_t>(status.st_size)}, name));
  ImageIdentity identity;
  Elf64_Ehdr header{};
  if (payload.offset > 0 && ::pread(fd, &header, sizeof header, 0) > 0 &&
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0) {
    identity.machine = header.e_machine;  // at the same place in both classes
  }
  const ImageFiles files = TRY(read_image_files(payload, name));
  if (files.policy) {
    const Policy policy = TRY(decode_policy(*files.policy));
    identity.name = policy.name;
    identity.version = policy.version;
    identity.data = policy.data;
  }
  if (files.desktop) read_desktop(*files.desktop, identity);
  return identity;
}

}  // namespace rootlet
