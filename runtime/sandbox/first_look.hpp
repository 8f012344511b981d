// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet::sandbox {

// Asks an image's server for what execve(2) of `program` will ask it for, while init still
// mounts: the names on the way, the beginning of the program, and that of its loader or
// interpreter. Nothing depends on it; a failure shows when the program is executed.
// `root`: the root that is being made. A program without a slash is not looked for.
void look_at_program(int root, const std::string& program);

}  // namespace rootlet::sandbox
