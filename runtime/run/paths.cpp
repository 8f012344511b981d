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
  return ::realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

}  // namespace rootlet
