// SPDX-License-Identifier: MIT
#pragma once

#include <string>

// Paths as texts, and what they name on the host.
namespace rootlet {

// It is `top`, or lies in it.
bool is_below(const std::string& path, const std::string& top);

std::string without_slash(std::string path);  // at its end; "/" stays

// Something is there, if only a symlink that leads nowhere.
bool exists(const std::string& path);

// Without symlinks, or as given where it leads nowhere.
std::string real_path(const std::string& path);

}  // namespace rootlet
