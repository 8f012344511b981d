// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

namespace rootlet {

// The verbs of `rootlet`, one file each. A verb gets its arguments untouched,
// its own name first, and returns the exit status.
using VerbFunction = int (*)(int argc, char** argv);

int build_verb(int argc, char** argv);
int inspect_verb(int argc, char** argv);
int run_verb(int argc, char** argv);
int exec_verb(int argc, char** argv);
int shell_verb(int argc, char** argv);

struct Verb {
  std::string_view name;
  std::string_view group;
  std::string_view summary;
  VerbFunction run;
};

inline constexpr std::array kVerbs = std::to_array<Verb>({
    {"run", "Run", "run a packed file, a squashfs or a directory in a root of its own", run_verb},
    {"exec", "Run", "run another program of an image", exec_verb},
    {"shell", "Run", "a shell inside an image", shell_verb},
    {"build", "Make", "pack a directory, an AppDir or a tar into one executable file", build_verb},
    {"inspect", "Look", "show what a packed file is made of", inspect_verb},
});

}  // namespace rootlet
