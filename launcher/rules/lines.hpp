// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/rules/rules.hpp"

// Entries as a line of the file, and in words. Without their evidence.
namespace rootlet::rules {

std::string line_of(const SystemCall& call);
std::string line_of(const Path& path);
std::string line_of(const Program& program);
std::string line_of(const Network& network);

// "ioctl, request TCGETS or FIONREAD"; "read, list /usr/lib and all in it".
std::string words_of(const SystemCall& call);
std::string words_of(const Path& path);
std::string words_of(const Program& program);
std::string words_of(const Network& network);

}  // namespace rootlet::rules
