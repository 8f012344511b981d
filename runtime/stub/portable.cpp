// SPDX-License-Identifier: MIT
#include "runtime/stub/portable.hpp"

#include <sys/stat.h>

#include <array>

#include "runtime/base/log.hpp"

namespace rootlet {
namespace {

struct Kind {
  std::string_view name, inside, variable;  // inside: below the home
};
constexpr std::array kKinds = {Kind{"home", "", ""}, Kind{"config", "/.config", "XDG_CONFIG_HOME"},
                               Kind{"share", "/.local/share", "XDG_DATA_HOME"},
                               Kind{"cache", "/.cache", "XDG_CACHE_HOME"}};

// Why the directory is not to be used; empty: it is.
std::string trouble_with(const struct stat& status, const Caller& caller) {
  if (!S_ISDIR(status.st_mode)) return "it is no directory";
  if (status.st_uid != caller.uid) return "it is not yours";
  if ((status.st_mode & 022) != 0) return "others may write to it";
  return "";
}

// Something is shown at `inside` of a home that is a directory of the host: it
// has to be there.
void make_inside(const std::string& home, std::string_view inside) {
  for (std::size_t at = 1; at != std::string_view::npos;) {
    at = inside.find('/', at);
    ::mkdir((home + std::string(inside.substr(0, at))).c_str(), 0700);
    if (at != std::string_view::npos) ++at;
  }
}

}  // namespace

bool is_portable(const std::string& kind) {
  for (const Kind& known : kKinds) {
    if (known.name == kind) return true;
  }
  return false;
}

Result<int> make_portable(const std::string& file, const std::string& kind) {
  const std::string path = file + "." + kind;
  if (::mkdir(path.c_str(), 0700) == 0) {
    Log::note("made " + path + "; it is used as long as it lies beside the file");
    return 0;
  }
  struct stat status {};
  if (errno == EEXIST && ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    Log::note(path + " is there already");
    return 0;
  }
  return last_error("make the portable directory", path);
}

void use_portable(Options& options, const std::string& file, const Caller& caller) {
  for (const Kind& kind : kKinds) {
    const std::string path = file + "." + std::string(kind.name);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    const std::string trouble = trouble_with(status, caller);
    if (!trouble.empty() || caller.home.empty()) {
      Log::note(path + " is not used: " + (trouble.empty() ? "there is no home" : trouble));
      continue;
    }
    if (kind.inside.empty()) {
      if (options.home) continue;
      options.home = path;
      options.given.push_back(
          {"home", path, Origin::command_line});  // as if the caller had said it
      continue;
    }
    if (options.home == file + ".home") make_inside(*options.home, kind.inside);
    const std::string target = caller.home + std::string(kind.inside);
    options.binds.push_back({path, target, true});
    options.env.push_back(std::string(kind.variable) + "=" + target);
  }
}

}  // namespace rootlet
