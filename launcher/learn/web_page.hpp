// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/learn/recording.hpp"

namespace rootlet::learn {

// One HTML file that needs no other: what a run touched, as a tree of paths, a timeline
// of its processes, its network, its calls and what was refused. No name in it is
// ever read as HTML or script.
std::string web_page(const Recording& recording);

}  // namespace rootlet::learn
