// SPDX-License-Identifier: MIT
#include "runtime/run/paths.hpp"

#include <sys/stat.h>

#include <cstdlib>

namespace rootlet {

bool is_below(const std::string& path, const std::string& top) {
  return path == top || top == "/" ||
         (path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/');
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::string real_path(const std::string& path) {
  char resolved[4096];
  if (::realpath(path.c_str(), resolved) != nullptr) return resolved;
  const std::string above = directory_of(path);
  if (path.empty() || path[0] != '/' || above == path) return path;
  return joined(real_path(above), path.substr(path.rfind('/') + 1));
}

std::string absolute(const std::string& path, const Caller& caller) {
  if (path.empty() || path[0] == '/' || !caller.cwd) return path;
  return joined(*caller.cwd, path);
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string joined(const std::string& directory, const std::string& name) {
  return (directory == "/" ? "" : directory) + "/" + name;
}

}  // namespace rootlet
