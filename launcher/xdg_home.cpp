// SPDX-License-Identifier: MIT
#include "launcher/xdg_home.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "launcher/desktop_tools.hpp"
#include "launcher/thumbnail.hpp"

namespace rootlet {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kWrite = "register the AppImage";
constexpr std::size_t kMostRecord = 1u << 20;
constexpr const char* kPlaces[] = {"applications", "icons", "mime/packages"};

std::string directory_from(const char* variable, const char* below_home) {
  const char* value = std::getenv(variable);
  // A relative one is to be ignored (XDG Base Directory Specification 0.8).
  if (value != nullptr && value[0] == '/') return value;
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? home + std::string(below_home) : std::string();
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// All below a directory, as absolute paths; links are not followed.
std::set<std::string> all_below(const std::string& directory) {
  std::set<std::string> paths;
  std::error_code failed;
  fs::recursive_directory_iterator each(directory, failed), end;
  for (; !failed && each != end; each.increment(failed)) paths.insert(each->path());
  return paths;
}

bool is_empty(const std::string& directory) {
  std::error_code failed;
  return fs::is_empty(directory, failed) || failed;
}

// Of desktop entries some other has a MIME type, so that a cache is of use.
bool has_types(const std::string& applications) {
  for (const std::string& path : all_below(applications)) {
    if (!path.ends_with(".desktop")) continue;
    const auto text = os::read_file(AT_FDCWD, path, DesktopEntry::kLargest);
    if (text.ok() && text.value().find("\nMimeType=") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string id_of_file(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::string_view vendor = kVendor;
  if (!name.starts_with(vendor) || name.size() < vendor.size() + 33) return {};
  const std::string id = name.substr(vendor.size(), 32);
  return id.find_first_not_of("0123456789abcdef") == id.npos ? id : std::string();
}

Result<XdgHome> XdgHome::open(bool change) {
  XdgHome home;
  home.data_ = directory_from("XDG_DATA_HOME", "/.local/share");
  home.cache_ = directory_from("XDG_CACHE_HOME", "/.cache");
  if (home.data_.empty() || home.cache_.empty()) {
    return plain_error(kWrite, "XDG_DATA_HOME", "neither it nor HOME names a directory",
                       "set HOME");
  }
  const std::string record = home.data_ + "/rootlet/made";
  if (change) {
    TRY(home.make_directory(home.data_));
    home.lock_ = TRY(os::open_at(AT_FDCWD, home.data_, O_RDONLY | O_DIRECTORY));
    if (::flock(home.lock_.get(), LOCK_EX) != 0) return last_error(kWrite, home.data_);
  }
  const auto text = os::read_file(AT_FDCWD, record, kMostRecord);
  const std::string lines = text.ok() ? text.value() : std::string();
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    home.made_.insert(lines.substr(at, end - at));
    at = end + 1;
  }
  // What was made before there was a place to write it down.
  if (change && !home.made_.empty()) TRY(home.write_down(*home.made_.begin()));
  return home;
}

// Before a thing is made: who is killed in between has at most written down what
// is not there.
Status XdgHome::write_down(const std::string& path) {
  made_.insert(path);
  if (!lock_.valid()) return Done{};  // the data directory itself is being made
  const std::string directory = data_ + "/rootlet";
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return last_error(kWrite, directory);
  std::string text;
  for (const std::string& one : made_) text += one + "\n";
  const std::string record = directory + "/made", fresh = record + ".new";
  const os::Fd out = TRY(os::open_at(AT_FDCWD, fresh, O_CREAT | O_TRUNC | O_WRONLY, 0600));
  TRY(os::write_all(out.get(), text, kWrite, fresh));
  if (::rename(fresh.c_str(), record.c_str()) != 0) return last_error(kWrite, record);
  return Done{};
}

Status XdgHome::make_directory(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return Done{};
  if (const std::string parent = parent_of(path); !parent.empty()) TRY(make_directory(parent));
  TRY(write_down(path));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return last_error(kWrite, path);
  return Done{};
}

namespace {

Status fill(int out, const RegisteredFile& file, const std::string& path) {
  TRY(os::write_all(out, file.bytes, kWrite, path));
  if (::fchmod(out, file.mode) != 0) return last_error(kWrite, path);
  return Done{};
}

// Where the file system knows no files without a name (NFS): under another name,
// which a kill may leave behind.
Status put_by_rename(int directory, const std::string& name, const RegisteredFile& file,
                     const std::string& path) {
  const std::string fresh = "." + name + ".new";
  ::unlinkat(directory, fresh.c_str(), 0);
  const os::Fd out = TRY(os::open_at(directory, fresh, O_CREAT | O_EXCL | O_WRONLY, 0600));
  Status done = fill(out.get(), file, path);
  if (done.ok() && ::renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) {
    done = last_error(kWrite, path);
  }
  if (!done.ok()) ::unlinkat(directory, fresh.c_str(), 0);
  return done;
}

}  // namespace

Status XdgHome::put(const RegisteredFile& file) {
  const std::string path = base(file.base) + "/" + file.path;
  const std::string name = path.substr(path.rfind('/') + 1);
  TRY(make_directory(parent_of(path)));
  const os::Fd directory = TRY(os::open_at(AT_FDCWD, parent_of(path), O_RDONLY | O_DIRECTORY));
  // Without a name until it is whole, so that nothing is left of one that is not.
  const os::Fd out(::openat(directory.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!out.valid()) return put_by_rename(directory.get(), name, file, path);
  TRY(fill(out.get(), file, path));
  ::unlinkat(directory.get(), name.c_str(), 0);
  if (::linkat(AT_FDCWD, os::fd_path(out.get()).c_str(), directory.get(), name.c_str(),
               AT_SYMLINK_FOLLOW) != 0) {
    return last_error(kWrite, path);
  }
  return Done{};
}

std::vector<std::string> XdgHome::registered_files() const {
  std::vector<std::string> files;
  for (const char* place : kPlaces) {
    for (const std::string& path : all_below(data_ + "/" + place)) {
      if (!id_of_file(path).empty()) files.push_back(path.substr(data_.size() + 1));
    }
  }
  return files;
}

std::size_t XdgHome::remove(const std::string& id, const std::vector<RegisteredFile>& but) {
  std::size_t count = 0;
  for (const std::string& file : registered_files()) {
    const auto kept = [&](const RegisteredFile& one) {
      return one.base == RegisteredFile::Base::data && one.path == file;
    };
    if (id_of_file(file) != id || std::any_of(but.begin(), but.end(), kept)) continue;
    if (::unlink((data_ + "/" + file).c_str()) == 0) ++count;
  }
  return count;
}

void XdgHome::remove_thumbnails(const std::string& path) {
  for (const char* size : {"normal", "large"}) {
    const std::string directory = cache_ + "/thumbnails/" + size + "/";
    ::unlink((directory + thumbnail_name(path)).c_str());
    ::unlink((directory + appimage_id(path) + ".png").c_str());  // as libappimage calls it
  }
}

void XdgHome::note_new(const std::string& directory, const std::set<std::string>& before) {
  for (const std::string& path : all_below(directory)) {
    if (before.count(path) == 0 && id_of_file(path).empty()) (void)write_down(path);
  }
}

std::vector<std::string> XdgHome::refresh() {
  std::vector<std::string> missing;
  const std::string applications = data_ + "/applications", mime = data_ + "/mime";
  const auto run = [&](const char* program, const std::string& directory) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return;
    const auto before = all_below(directory);
    if (!run_desktop_tool({program, directory})) missing.emplace_back(program);
    note_new(directory, before);
  };
  struct stat status {};
  if (::stat((mime + "/packages").c_str(), &status) == 0) run("update-mime-database", mime);
  run("update-desktop-database", applications);
  // Where there is a cache of icons its age is compared with the theme's directory.
  ::utimensat(AT_FDCWD, (data_ + "/icons/hicolor").c_str(), nullptr, 0);
  return missing;
}

void XdgHome::tidy() {
  const std::string applications = data_ + "/applications", mime = data_ + "/mime";
  if (!has_types(applications) && made_.count(applications + "/mimeinfo.cache") != 0) {
    ::unlink((applications + "/mimeinfo.cache").c_str());
  }
  // The MIME caches are of use as long as there is any package, whoever's.
  if (is_empty(mime + "/packages")) {
    for (const std::string& path : made_) {
      if (path.starts_with(mime + "/")) ::unlink(path.c_str());  // EISDIR: a directory, below
    }
  }
  std::set<std::string> left;
  for (auto path = made_.rbegin(); path != made_.rend(); ++path) {  // what is deeper comes first
    struct stat status {};
    if (::rmdir(path->c_str()) != 0 && ::lstat(path->c_str(), &status) == 0) left.insert(*path);
  }
  // The data directory holds the record, and goes after it.
  const std::string own = data_ + "/rootlet";
  const bool only_ours = std::all_of(
      left.begin(), left.end(), [&](const std::string& path) { return data_.starts_with(path); });
  made_ = left;
  if (!only_ours) {
    (void)write_down(*left.begin());
    return;
  }
  ::unlink((own + "/made").c_str());
  ::rmdir(own.c_str());
  for (auto path = left.rbegin(); path != left.rend(); ++path) ::rmdir(path->c_str());
  struct stat status {};
  std::erase_if(made_,
                [&](const std::string& path) { return ::lstat(path.c_str(), &status) != 0; });
  if (!made_.empty()) (void)write_down(*made_.begin());
}

}  // namespace rootlet
