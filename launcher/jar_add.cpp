// SPDX-License-Identifier: MIT
#include "launcher/jar_add.hpp"

#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "launcher/jar_images.hpp"
#include "launcher/jar_journal.hpp"
#include "launcher/jar_writer.hpp"
#include "packaging/output_file.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kAdd = "add to the jar";

struct Wanted {
  std::string name, file;
  os::Fd fd;
  ImageFacts facts;
};

// A name is a part of a path in the jar, and a command that people type.
bool is_name(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
  });
  return plain && !text.empty() && text[0] != '.' && text.size() <= 200;
}

Result<Wanted> open_wanted(const std::string& text) {
  const std::size_t equals = text.find('=');
  Wanted wanted;
  wanted.file = equals == std::string::npos ? text : text.substr(equals + 1);
  if (equals != std::string::npos) {
    wanted.name = text.substr(0, equals);
  } else {
    wanted.name = text.substr(text.rfind('/') == std::string::npos ? 0 : text.rfind('/') + 1);
    wanted.name.resize(wanted.name.find('.') == std::string::npos ? wanted.name.size()
                                                                  : wanted.name.find('.'));
  }
  if (!is_name(wanted.name)) {
    return plain_error(kAdd, text, "'" + wanted.name + "' cannot be a name in a jar",
                       "give one: NAME=" + wanted.file + " (letters, digits, - _ . +)");
  }
  wanted.fd = TRY(os::open_at(AT_FDCWD, wanted.file, O_RDONLY));
  wanted.facts = TRY(examine_image(wanted.fd.get(), wanted.file));
  return wanted;
}

std::uint32_t crc_of(const std::string& text) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

// Which entries the images become. An image that the jar holds already, under
// whatever name, is stored once: the other names are links to its entry.
class Entries {
 public:
  Entries(const std::vector<JarImage>& present, const JarAdd& request)
      : present_(present), request_(request) {}

  Status add_all(const std::vector<Wanted>& wanted) {
    for (const Wanted& one : wanted) {
      if (!is_there(one)) TRY(claim(one));
    }
    TRY(check_links());
    for (const JarImage& image : present_) {
      const std::string path = image.stem() + ".AppImage";
      const bool stays = dropped.count(path) == 0 && image.image && image.image->method == 0;
      if (stays && !image.digest.empty()) stored_[image.digest] = path;
    }
    for (const Wanted& one : wanted) {
      if (!is_there(one)) add(one);
      if (is_there(one)) lines.push_back(one.name + ": is there already");
    }
    return Done{};
  }

  std::vector<NewEntry> entries;
  std::set<std::string> dropped;  // lines of the old directory
  std::vector<std::string> lines;

 private:
  std::string stem_of(const Wanted& wanted) const {
    JarImage image;
    image.name = wanted.name;
    image.classifier = request_.classifier;
    return image.stem();
  }

  // A build that is run again replaces each image by itself: the jar must not grow.
  bool is_there(const Wanted& wanted) const {
    const std::string stem = stem_of(wanted);
    return request_.replace &&
           std::any_of(present_.begin(), present_.end(), [&](const JarImage& image) {
             const bool stored =
                 image.image && image.image->method == 0 && image.image->size == wanted.facts.size;
             return image.stem() == stem && image.digest == wanted.facts.digest &&
                    (stored || !image.link.empty());
           });
  }

  Status claim(const Wanted& wanted) {
    const std::string stem = stem_of(wanted);
    const bool known = std::any_of(present_.begin(), present_.end(),
                                   [&](const JarImage& image) { return image.stem() == stem; });
    if (known && !request_.replace) {
      return plain_error(
          kAdd, wanted.name, "the jar has an image of this name",
          "--replace puts the new one in its place, or give another: NAME=" + wanted.file);
    }
    if (!dropped.insert(stem + ".AppImage").second) {
      return plain_error(kAdd, wanted.name, "two of the images have this name",
                         "give one of them another: NAME=" + wanted.file);
    }
    dropped.insert({stem + ".link", stem + ".json"});
    return Done{};
  }

  // Of the names that stay, none may lose the bytes that it shares.
  Status check_links() const {
    for (const JarImage& image : present_) {
      if (dropped.count(image.stem() + ".json") != 0 || dropped.count(image.link) == 0) continue;
      return plain_error(kAdd, image.name, "it shares the bytes of " + image.link,
                         "replace both in one call");
    }
    return Done{};
  }

  void add(const Wanted& wanted) {
    const std::string stem = stem_of(wanted);
    const auto [same, is_new] = stored_.try_emplace(wanted.facts.digest, stem + ".AppImage");
    const std::string& path = same->second;
    if (is_new) {
      const FileRange bytes{wanted.fd.get(), 0, wanted.facts.size};
      entries.push_back({path, "", bytes, wanted.facts.crc, true});
    } else {
      entries.push_back({stem + ".link", path, {}, crc_of(path), false});
    }
    const std::string json = describe(wanted.name, request_.classifier, wanted.facts, path);
    entries.push_back({stem + ".json", json, {}, crc_of(json), false});
    lines.push_back(wanted.name + ": " + (is_new ? path : "the same image as " + path) + ", " +
                    std::to_string(wanted.facts.size) + " bytes");
  }

  const std::vector<JarImage>& present_;
  const JarAdd& request_;
  std::map<std::string, std::string> stored_;  // digest -> entry
};

Status write_entries(int fd, const ZipArchive& archive, const Entries& wanted) {
  JarWriter writer = TRY(JarWriter::begin(archive, wanted.dropped));
  for (const NewEntry& entry : wanted.entries) TRY(writer.add(fd, entry));
  return writer.finish(fd);
}

// Owner, mode, times and extended attributes of the jar. An owner that we may
// not give is said, for the file would be another's.
Status copy_metadata(int from, int to, const std::string& jar, const struct stat& status) {
  if (::fchown(to, status.st_uid, status.st_gid) != 0) {
    return last_error(kAdd, jar, "only its owner can replace it; --in-place keeps the owner");
  }
  std::string names(65536, '\0');
  const ssize_t length = ::flistxattr(from, names.data(), names.size());
  for (ssize_t at = 0; at < length;) {
    const char* name = names.data() + at;
    at += static_cast<ssize_t>(std::string_view(name).size()) + 1;
    std::string value(65536, '\0');
    const ssize_t size = ::fgetxattr(from, name, value.data(), value.size());
    // Labels of a security module are the directory's to give.
    if (size < 0 || std::string_view(name).starts_with("security.")) continue;
    if (::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0) != 0) {
      return last_error(kAdd, jar);
    }
  }
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(to, times) != 0) return last_error(kAdd, jar);
  return Done{};
}

Status add_to_copy(int fd, const std::string& jar, const ZipArchive& archive,
                   const Entries& wanted) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kAdd, jar);
  auto copy = TRY(packaging::OutputFile::create(jar));
  if (::ioctl(copy.fd(), FICLONE, fd) != 0) {
    TRY(copy_range({fd, 0, archive.directory()}, copy.fd(), 0, jar));
  }
  TRY(write_entries(copy.fd(), archive, wanted));
  TRY(copy_metadata(fd, copy.fd(), jar, status));
  return copy.publish(status.st_mode & 07777);
}

Status add_in_place(int fd, const std::string& jar, const ZipArchive& archive,
                    const Entries& wanted) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kAdd, jar);
  TRY(JarJournal::write(fd, jar, archive.directory()));
  auto written = write_entries(fd, archive, wanted);
  if (written.ok() && ::fsync(fd) != 0) written = last_error(kAdd, jar);
  if (!written.ok()) {
    TRY(JarJournal::restore(fd, jar));
    return written;
  }
  TRY(JarJournal::remove(jar));
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(fd, times) != 0) return last_error(kAdd, jar);
  return Done{};
}

}  // namespace

Result<OpenJar> open_jar(const std::string& path, bool& noted) {
  char resolved[4096];
  if (::realpath(path.c_str(), resolved) == nullptr) return last_error(kAdd, path);
  os::Fd fd = TRY(os::open_at(AT_FDCWD, resolved, O_RDWR));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return plain_error(kAdd, path, "another process is changing it", "try again when it is done");
  }
  noted = JarJournal::exists(resolved);
  if (noted) TRY(JarJournal::restore(fd.get(), resolved));
  return OpenJar{fd.release(), resolved};
}

Result<std::vector<std::string>> add_to_jar(const JarAdd& request) {
  std::vector<Wanted> wanted;
  for (const std::string& text : request.images) wanted.push_back(TRY(open_wanted(text)));
  bool rolled_back = false;
  const OpenJar jar = TRY(open_jar(request.jar, rolled_back));
  const os::Fd fd(jar.fd);
  const off_t length = ::lseek(fd.get(), 0, SEEK_END);
  if (length < 0) return last_error(kAdd, jar.path);
  const ZipArchive archive =
      TRY(ZipArchive::open({fd.get(), 0, static_cast<std::uint64_t>(length)}, request.jar));
  const std::vector<JarImage> present = TRY(images_of(archive));
  Entries entries(present, request);
  if (rolled_back) entries.lines.push_back("an earlier add was killed half-way: rolled back");
  TRY(entries.add_all(wanted));
  if (entries.entries.empty()) return std::move(entries.lines);
  TRY((request.in_place ? add_in_place : add_to_copy)(fd.get(), jar.path, archive, entries));
  return std::move(entries.lines);
}

}  // namespace rootlet
