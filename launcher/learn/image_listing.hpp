// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace rootlet::learn {

// The regular files of the image, as the thread's root shows them; what is mounted over
// it, and an attached image, is not looked into. Whatever cannot be read is left out.
std::vector<std::string> list_image(pid_t tid);

}  // namespace rootlet::learn
