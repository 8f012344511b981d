// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/json_text.hpp"

namespace rootlet {

// What a run was given, or has made, into an array of `json`: the file at
// `path`, or all files below it, in the order of their names. Each is an object
//
//   path    `shown`, and what follows it below a directory
//   size    of a regular file, in bytes; and
//   sha256  in hexadecimal
//   link    of a symlink, which is not followed: where it leads
//   error   instead: why nothing is known
//
// A signal to end that comes meanwhile ends the reading of contents.
void tell_files(JsonText& json, const std::string& path, const std::string& shown);

// The content of an open regular file, from its beginning.
void tell_content(JsonText& json, int fd);

}  // namespace rootlet
