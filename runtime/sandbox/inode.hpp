// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

// What a descriptor stands for.
namespace rootlet::sandbox {

// Zeros where it cannot be told.
struct stat status_of(int fd);
dev_t device_of(int fd);

// The names in a directory, without "." and "..". At most `limit`.
std::vector<std::string> names_in(int directory, std::size_t limit);

// The image server gives an empty directory the size 0, so that nobody needs
// to list it; other file systems are listed.
bool is_served_empty(int directory);
bool is_empty(int directory);

}  // namespace rootlet::sandbox
