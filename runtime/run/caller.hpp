// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rootlet {

// Who runs us, from where, with what: read once, before anything is done.
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::optional<std::string> cwd;  // nothing: deleted, unreachable or too long to name
  std::string cwd_trouble;         // why, where there is none
  std::string home;                // absolute, or empty
  std::string user;                // the login name; never empty
  std::string group;
  std::string gecos, shell;
  std::vector<std::string> env;     // as given
  std::string argv0;                // as typed
  std::vector<int> closed_streams;  // of 0, 1 and 2; for the tool they are closed too

  std::string variable(const std::string& name) const;
  bool has_variable(const std::string& name) const;  // empty ones count
};
Caller read_caller(const char* argv0, char** environment);

// The content of a regular file of the root-to-be, where there is one.
using RootFile = std::function<std::optional<std::string>(const std::string& path)>;

// The root's passwd (or group) with the caller's own line first; lines of the
// same name or number are dropped, so that every look-up finds the caller.
// Under another number than his own he has the name that the root has for it.
std::string passwd_with(const Caller& caller, uid_t uid, gid_t gid, const std::string& existing);
std::string group_with(const Caller& caller, gid_t gid, const std::string& existing);
// A line of passwd or group has this number.
bool names(const std::string& existing, unsigned id);

}  // namespace rootlet
