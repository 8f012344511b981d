// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "launcher/learn/call_names.hpp"
#include "runtime/base/result.hpp"

// What a watched run did, as it was seen: nothing is generalised yet.
namespace rootlet::learn {

// What a path belongs to.
enum class Where {
  image,    // the image, an attached one, or the directory that stands in for it
  bind,     // of the host, shown by an option or a profile
  scratch,  // the run's own, gone at its end
  system,   // /proc, /sys, /dev, and the small files that Rootlet writes
  elsewhere
};

enum class Access {
  create,
  remove,
  list,
  metadata,
  read,
  write
};

// When something was done for the first time, and by whom.
struct First {
  double seconds = 0;  // since the tool's start
  int pid = 0;         // inside
  std::string program;
};

// How a call ended. `exact`: seen when it returned; else predicted when it was made.
struct Ending {
  std::uint64_t exact = 0, predicted = 0;
};

struct Tally {
  std::uint64_t count = 0;
  First first;
  std::map<int, Ending> errors;  // by errno

  void add(const Tally& other);
  std::uint64_t failed() const;
};

struct CallUse {
  std::string name;
  std::vector<Argument> arguments;
  std::string detail;  // "to itself", where that is no number to compare
  Tally tally;
};

// The detail of a call that the default filter refuses in every run.
inline constexpr const char* kRefused = "refused by the default filter";

struct PathUse {
  std::string path;  // inside, symlinks resolved
  Access access = Access::read;
  Where where = Where::elsewhere;
  char type = '?';  // f file, d directory, c device, p pipe, s socket, - missing
  Tally tally;
};

struct ProgramUse {
  std::string path;
  std::string as;  // program, interpreter, loader
  Where where = Where::image;
  Tally tally;
};

struct NetworkUse {
  std::string direction;  // connect, bind, send
  std::string family, type;
  std::string address;
  int port = -1;
  Tally tally;
};

struct ProcessSeen {
  int pid = 0, parent = 0;  // inside
  double began = 0, ended = 0;
  std::string program;
  int threads = 1;
};

// What tokens of a rule stand for in this run, and what was shown to the tool.
struct Setting {
  std::string cwd, home;
  std::string profile, network, ipc;
  struct Shown {
    std::string target, source;
    bool writable = false;
  };
  std::vector<Shown> binds;
  std::vector<std::string> scratch;  // where something of the run's own lies
};

// How many different things of a kind are told apart. A tool that makes names
// without end must not take all memory: what comes later is counted nowhere, and a
// note says so. 30,000 paths are some 15 MB here, and 9 MB of JSON.
inline constexpr std::size_t kMostOfAKind = 30000;

struct Recording {
  std::string name;   // of the run
  std::string date;   // UTC, 2026-11-24T10:00:00Z
  std::string image;  // its file's name
  std::string kernel;
  std::string end;     // "exit 0", "signal 9 SIGKILL"; empty: not known
  std::string detail;  // "all", "deciding"
  double seconds = 0;
  std::uint64_t calls = 0;        // that stopped
  int most_processes = 0;         // at a time
  std::uint64_t most_memory = 0;  // bytes, of the largest process
  std::vector<std::string> command;
  Setting setting;
  std::vector<CallUse> calls_used;
  std::vector<PathUse> paths;
  std::vector<ProgramUse> programs;
  std::vector<NetworkUse> network;
  std::vector<ProcessSeen> processes;
  std::vector<std::string> image_files;  // all regular ones of the image; where asked for
  std::vector<std::string> notes;        // what could not be seen, in words

  // So that two recordings can be compared.
  void sort();
};

std::string_view name_of(Where where);
std::string_view name_of(Access access);
Where where_of(std::string_view name);
Access access_of(std::string_view name);

// The file of a recording: JSON, docs/recording.schema.json. Errors name the file.
std::string write_recording(const Recording& recording);
Result<Recording> parse_recording(const std::string& text, const std::string& name);
bool is_recording(const std::string& text);

}  // namespace rootlet::learn
