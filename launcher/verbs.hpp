// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

namespace rootlet {

// The verbs of `rootlet`, one file each. A verb gets its arguments untouched,
// its own name first, and returns the exit status.
using VerbFunction = int (*)(int argc, char** argv);

int build_verb(int argc, char** argv);
int check_verb(int argc, char** argv);
int inspect_verb(int argc, char** argv);
int ls_verb(int argc, char** argv);
int cat_verb(int argc, char** argv);
int extract_verb(int argc, char** argv);
int install_verb(int argc, char** argv);
int uninstall_verb(int argc, char** argv);
int list_verb(int argc, char** argv);
int data_verb(int argc, char** argv);
int record_verb(int argc, char** argv);
int lock_verb(int argc, char** argv);
int jar_verb(int argc, char** argv);
int run_verb(int argc, char** argv);
int exec_verb(int argc, char** argv);
int shell_verb(int argc, char** argv);
int learn_verb(int argc, char** argv);
int rules_verb(int argc, char** argv);
int chroot_verb(int argc, char** argv);
int encapsulate_verb(int argc, char** argv);
int ps_verb(int argc, char** argv);
int kill_verb(int argc, char** argv);
int stats_verb(int argc, char** argv);
int doctor_verb(int argc, char** argv);
int cache_verb(int argc, char** argv);
int sign_verb(int argc, char** argv);
int verify_verb(int argc, char** argv);
int trust_verb(int argc, char** argv);
int update_verb(int argc, char** argv);

// Two programs share the verbs. `rootlet` is static, because running a tool
// must not wait for libraries to be loaded; what needs them (archives, TOML,
// JSON, digests) is in `rootlet-tools`, which `rootlet` executes.
enum class Program {
  rootlet,
  tools
};

struct Verb {
  std::string_view name;
  std::string_view group;
  std::string_view summary;
  Program program;
};

inline constexpr std::array kVerbs = std::to_array<Verb>({
    {"run", "Run", "run a packed file, a squashfs or a directory in a root of its own",
     Program::rootlet},
    {"exec", "Run", "run another program of an image, or one inside of a run", Program::rootlet},
    {"shell", "Run", "a shell inside an image, or inside of a run", Program::rootlet},
    {"chroot", "Run", "nsroot's command line: a directory or an image as the root",
     Program::rootlet},
    {"encapsulate", "Run", "encapsulate's: the host read-only, the named subtrees writable",
     Program::rootlet},
    {"learn", "Watch", "run a tool, record what it does, and make rules of it", Program::rootlet},
    {"ps", "Watch", "list your runs that go on now", Program::rootlet},
    {"kill", "Watch", "send a signal to one of them", Program::rootlet},
    {"stats", "Watch", "what one of them has used", Program::rootlet},
    {"doctor", "Watch", "what this host can do for runs, and what to change", Program::rootlet},
    {"cache", "Watch", "what runs keep on this host, and how to be rid of it", Program::rootlet},
    {"build", "Make", "pack a directory, an AppDir or a tar into one executable file",
     Program::tools},
    {"data", "Make", "images of data: keep, find, verify, remove", Program::tools},
    {"lock", "Make", "pin the tools and data of a release in one small file", Program::tools},
    {"jar", "Make", "put images into a jar, where they run in place", Program::tools},
    {"sign", "Make", "sign an image, with minisign's or GPG's keys", Program::tools},
    {"update", "Make", "put a newer version in the place of an image", Program::tools},
    {"check", "Look", "is a file sound, and does it pass its own test?", Program::tools},
    {"record", "Look", "read, compare, repeat and publish records of runs", Program::tools},
    {"rules", "Look", "read, compare, join, try and judge files of rules", Program::tools},
    {"verify", "Look", "is an image signed by somebody you trust?", Program::tools},
    {"trust", "Look", "the keys that you trust", Program::tools},
    {"inspect", "Look", "show what a packed file is made of", Program::tools},
    {"ls", "Look", "list the files of an image", Program::tools},
    {"cat", "Look", "print files of an image", Program::tools},
    {"extract", "Look", "unpack an image, or a part of it", Program::tools},
    {"install", "Desktop", "show an AppImage in your menus", Program::tools},
    {"uninstall", "Desktop", "take it out of them", Program::tools},
    {"list", "Desktop", "the AppImages in your menus", Program::tools},
});

}  // namespace rootlet
