// SPDX-License-Identifier: MIT
#include "launcher/jar_journal.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <cstring>

#include "packaging/output_file.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kProtect = "protect the jar";
constexpr std::string_view kRestore = "restore the jar";

// The journal: this, then the bytes from `directory` to `length` as they were.
struct Header {
  char magic[24] = "rootlet-jar-journal-1\n";
  std::uint64_t inode = 0, length = 0, directory = 0;
  std::uint64_t sum = 0;  // CRC-32 of those bytes and of the fields above
};

std::uint64_t checksum(const Header& header, const std::string& bytes) {
  auto sum = ::crc32_z(0, reinterpret_cast<const Bytef*>(&header), offsetof(Header, sum));
  return ::crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// The names in a directory reach the disk with it, not with the file.
Status sync_names(const std::string& jar) {
  const os::Fd directory = TRY(os::open_at(AT_FDCWD, directory_of(jar), O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.get()) != 0) return last_error(kProtect, jar);
  return Done{};
}

Error damaged(const std::string& jar, std::string_view reason) {
  return plain_error(kRestore, JarJournal::path_of(jar), reason,
                     "take the jar from where it was built, and remove this file");
}

}  // namespace

std::string JarJournal::path_of(const std::string& jar) {
  const std::size_t slash = jar.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  return jar.substr(0, name) + "." + jar.substr(name) + ".rootlet-journal";
}

bool JarJournal::exists(const std::string& jar) {
  struct stat status {};
  return ::lstat(path_of(jar).c_str(), &status) == 0;
}

Status JarJournal::write(int jar_fd, const std::string& jar, std::uint64_t directory) {
  struct stat status {};
  if (::fstat(jar_fd, &status) != 0) return last_error(kProtect, jar);
  Header header;
  header.inode = status.st_ino;
  header.length = static_cast<std::uint64_t>(status.st_size);
  header.directory = directory;
  std::string bytes(header.length - directory, '\0');
  if (::pread(jar_fd, bytes.data(), bytes.size(), static_cast<off_t>(directory)) !=
      static_cast<ssize_t>(bytes.size())) {
    return last_error(kProtect, jar);
  }
  header.sum = checksum(header, bytes);
  auto file = TRY(packaging::OutputFile::create(path_of(jar)));
  const std::string start(reinterpret_cast<const char*>(&header), sizeof header);
  TRY(os::write_all(file.fd(), start + bytes, kProtect, path_of(jar)));
  TRY(file.publish(0600));
  return sync_names(jar);
}

Status JarJournal::restore(int jar_fd, const std::string& jar) {
  constexpr std::size_t kLongest = std::size_t{1} << 31;
  const std::string text = TRY(os::read_file(AT_FDCWD, path_of(jar), kLongest));
  Header header;
  if (text.size() < sizeof header) return damaged(jar, "it is cut short");
  text.copy(reinterpret_cast<char*>(&header), sizeof header);
  const std::string bytes = text.substr(sizeof header);
  const Header model;
  if (std::memcmp(header.magic, model.magic, sizeof model.magic) != 0 ||
      header.sum != checksum(header, bytes)) {
    return damaged(jar, "it is no journal of rootlet, or damaged");
  }
  struct stat status {};
  if (::fstat(jar_fd, &status) != 0) return last_error(kRestore, jar);
  if (status.st_ino != header.inode || header.directory + bytes.size() != header.length ||
      static_cast<std::uint64_t>(status.st_size) < header.directory) {
    return damaged(jar, "it belongs to another jar than the one here");
  }
  if (::pwrite(jar_fd, bytes.data(), bytes.size(), static_cast<off_t>(header.directory)) !=
          static_cast<ssize_t>(bytes.size()) ||
      ::ftruncate(jar_fd, static_cast<off_t>(header.length)) != 0 || ::fsync(jar_fd) != 0) {
    return last_error(kRestore, jar);
  }
  return remove(jar);
}

Status JarJournal::remove(const std::string& jar) {
  if (::unlink(path_of(jar).c_str()) != 0) return last_error(kProtect, path_of(jar));
  return sync_names(jar);
}

}  // namespace rootlet
