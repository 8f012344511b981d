// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/run/caller.hpp"

// Paths as texts, and what they name on the host.
namespace rootlet {

// It is `top`, or lies in it.
bool is_below(const std::string& path, const std::string& top);

std::string without_slash(std::string path);  // at its end; "/" stays

// Something is there, if only a symlink that leads nowhere.
bool exists(const std::string& path);

// Without symlinks, as far as it exists: what is missing stays as it is named.
std::string real_path(const std::string& path);

// From the caller's directory, where it is relative.
std::string absolute(const std::string& path, const Caller& caller);
std::string directory_of(const std::string& path);  // "/" for what lies at the top
std::string joined(const std::string& directory, const std::string& name);

}  // namespace rootlet
