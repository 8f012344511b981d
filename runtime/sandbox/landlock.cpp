// SPDX-License-Identifier: MIT
#include "runtime/sandbox/landlock.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kAction = "enforce the rules";

// Of Linux 6.18's landlock.h; Debian 12's headers end at ABI 2.
struct RulesetAttributes {
  std::uint64_t paths = 0, ports = 0;
};
struct [[gnu::packed]] BeneathAttributes {
  std::uint64_t access = 0;
  std::int32_t parent = -1;
};
struct PortAttributes {
  std::uint64_t access = 0, port = 0;
};
constexpr int kBeneath = 1, kPort = 2;
constexpr std::uint64_t kExecute = 1, kWriteFile = 2, kReadFile = 4, kReadDirectory = 8,
                        kRemove = 0x30,  // directories, files
    kMake = 0x1780,                      // directories, files, sockets, FIFOs, links; no devices
    kRefer = 0x2000, kTruncate = 0x4000;
constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate;
constexpr std::uint64_t kBind = 1, kConnect = 2;

std::uint64_t handled(int version) {
  std::uint64_t all = 0x1fff;
  if (version >= 2) all |= kRefer;
  if (version >= kLandlockTruncates) all |= kTruncate;
  return all;
}

// Rights on what the path names, or on the directory that holds the name.
std::uint64_t rights_on_it(std::uint32_t access) {
  std::uint64_t rights = 0;
  if (access & Rules::read) rights |= kReadFile;
  if (access & Rules::write) rights |= kWriteFile | kTruncate;
  if (access & Rules::list) rights |= kReadDirectory;
  // The kernel reads what it executes, in the name of who asked for it.
  if (access & Rules::execute) rights |= kExecute | kReadFile;
  return rights;
}

std::uint64_t rights_on_names(std::uint32_t access) {
  std::uint64_t rights = 0;
  if (access & Rules::create) rights |= kMake | kRefer;
  if (access & Rules::remove) rights |= kRemove | kRefer;
  return rights;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

class Ruleset {
 public:
  Status make(int version, bool ports) {
    attributes_ = {handled(version), ports ? kBind | kConnect : 0};
    const std::size_t size = version >= kLandlockPorts ? 16 : 8;
    fd_ = os::Fd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes_, size, 0)));
    if (!fd_.valid()) return last_error(kAction, "Landlock");
    return Done{};
  }

  Status add(const Rules::Path& path) {
    const std::uint64_t names = rights_on_names(path.access), it = rights_on_it(path.access);
    if (path.below) return add(path.path, it | names, path.access);
    // A rule holds for the file that is there now. What is made anew, or put in its
    // place, is another one: only its directory can be named.
    const bool made = (path.access & Rules::create) != 0;
    if (names != 0) TRY(add(parent_of(path.path), made ? it | names : names, path.access));
    return made ? Done{} : add(path.path, it, path.access, true);
  }

  Status add(const Rules::Port& port) {
    const PortAttributes rule{port.binds ? kBind : kConnect, port.number};
    return add(kPort, &rule, std::to_string(port.number));
  }

  Status enter() const {
    if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) == 0) return Done{};
    return last_error(kAction, "Landlock");
  }

 private:
  // `alone`: it, and not what may be in it.
  Status add(std::string name, std::uint64_t rights, std::uint32_t access, bool alone = false) {
    os::Fd at(::open(name.c_str(), O_PATH | O_CLOEXEC));
    while (!at.valid() && (errno == ENOENT || errno == ENOTDIR) && (access & Rules::create) &&
           name != "/") {
      alone = false;  // what will be made there
      name = parent_of(name);
      at = os::Fd(::open(name.c_str(), O_PATH | O_CLOEXEC));
    }
    if (!at.valid()) return Done{};  // and so neither can the tool open it
    struct stat status {};
    if (::fstat(at.get(), &status) != 0) return last_error(kAction, name);
    if (!S_ISDIR(status.st_mode)) rights &= kOfFiles;
    if (S_ISDIR(status.st_mode) && alone) rights &= kReadDirectory;
    const BeneathAttributes rule{rights & attributes_.paths, at.get()};
    return rule.access == 0 ? Done{} : add(kBeneath, &rule, name);
  }

  Status add(int kind, const void* rule, const std::string& name) {
    if (::syscall(SYS_landlock_add_rule, fd_.get(), kind, rule, 0) == 0) return Done{};
    // A pipe or socket that /dev/stdout or a descriptor's name led to: of no file
    // system that a user sees, and so never restricted (landlock(7)).
    if (errno == EBADFD) return Done{};
    return last_error(kAction, name);
  }

  RulesetAttributes attributes_;
  os::Fd fd_;
};

}  // namespace

int landlock_version() {
  constexpr unsigned kAskVersion = 1;
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  return static_cast<int>(std::max(version, 0L));
}

Status restrict_to(const Rules& rules) {
  const int version = landlock_version();
  if (version == 0) return Done{};  // told when the plan was made
  Ruleset ruleset;
  TRY(ruleset.make(version, version >= kLandlockPorts));
  for (const Rules::Path& path : rules.paths) TRY(ruleset.add(path));
  if (version >= kLandlockPorts) {
    for (const Rules::Port& port : rules.ports) TRY(ruleset.add(port));
  }
  return ruleset.enter();
}

}  // namespace rootlet::sandbox
