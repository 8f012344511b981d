// SPDX-License-Identifier: MIT
#include "packaging/debian_root.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

namespace rootlet::packaging {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kInstall = "install packages";
// Inside: names that no package has, removed before the root is packed.
constexpr const char* kArchives = "/.rootlet-build/archives";
constexpr const char* kScript = "/.rootlet-build/install";

Error failed(const std::error_code& error, const std::string& path) {
  return Error{error.value(), std::string(kInstall), path, "", ""};
}

Status write_text(const std::string& path, const std::string& text, unsigned mode = 0644) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  return os::write_all(file.get(), text, kInstall, path);
}

// dpkg-deb and tar are the host's; a package that leads tar astray finds
// nothing to write to but this root. The symlinks of a merged /usr stay.
constexpr const char* kUnpack =
    "cd \"$1\" || exit; shift\n"
    "for deb; do\n"
    "  dpkg-deb --fsys-tarfile \".rootlet-build/archives/$deb\" | tar --keep-directory-symlink -x "
    "||"
    " { echo \"E: cannot unpack $deb\"; exit 1; }\n"
    "done\n";

// A service that a package starts would end with the installation.
constexpr const char* kNoServices = "#!/bin/sh\nexit 101\n";

// What a power failure leaves of a scratch root is of no use: nothing waits for the
// disk. dpkg syncs its own records all the same.
constexpr const char* kBegin =
    "set -e\n"
    "dpkg() { command dpkg --force-unsafe-io \"$@\"; }\n"
    "export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true\n"
    "export DEBCONF_NOWARNINGS=yes LC_ALL=C.UTF-8\n"
    "cd /.rootlet-build/archives\n";

// Lines of steps of one kind become one dpkg, as apt does it.
std::string dpkg_lines(const std::vector<AptStep>& steps, const std::set<std::string>& done) {
  std::string text;
  std::string_view last;
  for (const AptStep& step : steps) {
    if (done.contains(step.file)) continue;
    const std::string_view action = step.unpack ? "--unpack" : "--configure";
    if (action != last) text += "\ndpkg " + std::string(action);
    last = action;
    text += " " + (step.unpack ? step.file : step.package);
  }
  return text + "\ndpkg --configure -a\n";
}

std::vector<std::string> unpacked_files(const std::vector<AptStep>& steps) {
  std::vector<std::string> files;
  for (const AptStep& step : steps) {
    if (step.unpack) files.push_back(step.file);
  }
  return files;
}

// What a script said before it failed is worth more than its exit status.
void show_last_words(const std::string& output) {
  std::size_t from = output.size();
  for (int lines = 0; from > 0 && lines < 20; --from) lines += output[from - 1] == '\n' ? 1 : 0;
  std::istringstream last(output.substr(from));
  for (std::string line; std::getline(last, line);) {
    std::fprintf(stderr, "  | %s\n", printable(line).c_str());
  }
}

// Of all that is in the packages' archives the newest; what is newer was made here.
constexpr const char* kSettle =
    "find / -xdev -newermt \"@$1\" -exec touch -h -d \"@$1\" {} +\n"
    "find / -xdev -type f ! -perm -u+r -exec chmod u+r {} +\n"
    "find / -xdev -type d ! -perm -u+rx -exec chmod u+rx {} +\n"
    "[ -x /usr/bin/fc-cache ] || exit 0\n"
    "SOURCE_DATE_EPOCH=$1 fc-cache -s -f\n"
    "find /var/cache/fontconfig /usr/share/fonts /usr/local/share/fonts -newermt \"@$1\""
    " -exec touch -h -d \"@$1\" {} + 2>/dev/null || true\n";

}  // namespace

Result<DebianRoot> DebianRoot::make(const std::string& path, const std::string& archives,
                                    const Engine& engine) {
  std::error_code error;
  fs::create_directories(path + "/.rootlet-build", error);
  if (!error) fs::rename(archives, path + kArchives, error);
  // A merged /usr from the start; a release without one has no usr-is-merged.
  for (const char* name : {"bin", "sbin", "lib", "lib64"}) {
    if (!error) fs::create_directories(path + "/usr/" + name, error);
    if (!error) fs::create_symlink(std::string("usr/") + name, path + "/" + name, error);
  }
  // What a run mounts onto, and its home.
  for (const char* name : {"/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/etc"}) {
    if (!error) fs::create_directory(path + name, error);
  }
  if (error) return failed(error, path);
  return DebianRoot(path, engine);
}

Error DebianRoot::explain(const CommandEnd& end) const {
  for (const char* sign : {"No space left on device", "Disk quota exceeded"}) {
    if (end.output.find(sign) != std::string::npos) {
      return Error{ENOSPC, std::string(kInstall), path_, "set TMPDIR to a directory with room", ""};
    }
  }
  show_last_words(end.output);
  std::istringstream lines(end.output);
  std::string line, reason;
  while (std::getline(lines, line)) {
    if (!line.starts_with("dpkg: error") && !line.starts_with("E: ") &&
        !line.starts_with("rootlet: ")) {
      continue;
    }
    std::getline(lines, reason);
    return plain_error(kInstall, line, reason);
  }
  return plain_error(kInstall, path_, "dpkg failed");
}

Status DebianRoot::unpack(const std::vector<AptStep>& steps) const {
  std::vector<std::string> words{"/bin/sh", "-c", kUnpack, "unpack", path_};
  for (std::string& file : unpacked_files(steps)) words.push_back(std::move(file));
  const auto end = TRY(engine_.on_host(path_, std::move(words)));
  if (!end.ok()) return explain(end);
  return Done{};
}

// What dpkg expects of a root in which nothing is installed yet.
Status DebianRoot::prepare(const std::vector<AptStep>& first,
                           const std::vector<AptStep>& all) const {
  std::error_code error;
  for (const char* name : {"/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/usr/sbin"}) {
    fs::create_directories(path_ + name, error);
  }
  for (const char* name : {"passwd", "group"}) {
    const std::string master = path_ + "/usr/share/base-passwd/" + name + ".master";
    if (!error && fs::is_regular_file(fs::symlink_status(master))) {
      fs::copy_file(master, path_ + "/etc/" + name, error);
    }
  }
  if (error) return failed(error, path_);
  TRY(write_text(path_ + "/var/lib/dpkg/status", ""));
  TRY(write_text(path_ + "/usr/sbin/policy-rc.d", kNoServices, 0755));

  std::string script = kBegin;
  script += "dpkg --force-depends --install";
  std::set<std::string> done;
  for (const std::string& file : unpacked_files(first)) {
    script += " " + file;
    done.insert(file);
  }
  return write_text(path_ + kScript, script + dpkg_lines(all, done));
}

Status DebianRoot::install(const std::vector<AptStep>& first, const std::vector<AptStep>& all,
                           const Report& report) const {
  const std::size_t total = 2 * unpacked_files(all).size();
  if (report) report({"installing packages", 0, total, false});
  TRY(unpack(first));
  TRY(prepare(first, all));
  std::size_t done = 0;
  const auto on_line = [&](std::string_view line) {
    for (const std::string_view start : {"Unpacking ", "Setting up "}) {
      if (!line.starts_with(start)) continue;
      line.remove_prefix(start.size());
      done = std::min(total, done + 1);
      if (report) {
        report({"installing packages", done, total, false,
                std::string(line.substr(0, line.find(' ')))});
      }
    }
  };
  const auto end = TRY(engine_.in_root(path_, {"/bin/sh", kScript}, on_line));
  if (!end.ok()) return explain(end);
  std::error_code error;
  fs::remove(path_ + "/usr/sbin/policy-rc.d", error);
  remove_tree(AT_FDCWD, path_ + "/.rootlet-build");
  return Done{};
}

Status DebianRoot::settle(std::int64_t time) const {
  const auto end =
      TRY(engine_.in_root(path_, {"/bin/sh", "-c", kSettle, "settle", std::to_string(time)}));
  if (!end.ok()) return explain(end);
  return Done{};
}

}  // namespace rootlet::packaging
