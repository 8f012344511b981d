// SPDX-License-Identifier: MIT
// What a call does to paths, and what it executes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "launcher/learn/observer.hpp"
#include "launcher/learn/program_start.hpp"
#include "launcher/learn/tracee.hpp"

namespace rootlet::learn {
namespace {

using Intent = PathArgument::Intent;

// Numbers of processes differ from run to run.
std::string without_numbers(const std::string& path) {
  constexpr std::string_view kProc = "/proc/";
  if (!path.starts_with(kProc)) return path;
  const std::size_t end = std::min(path.find_first_not_of("0123456789", kProc.size()), path.size());
  if (end == kProc.size() || (end < path.size() && path[end] != '/')) return path;
  return "/proc/PID" + path.substr(end);
}

std::vector<Access> accesses_of_open(std::uint64_t flags, const Found& found) {
  if (flags & O_PATH) return {Access::metadata};
  if ((flags & O_TMPFILE) == O_TMPFILE) return {Access::create, Access::write};
  if (found.type == 'd') return {Access::list};
  std::vector<Access> accesses;
  const auto mode = flags & O_ACCMODE;
  if ((flags & O_CREAT) && found.error == ENOENT) accesses.push_back(Access::create);
  if (mode != O_WRONLY) accesses.push_back(Access::read);
  if (mode != O_RDONLY || (flags & O_TRUNC)) accesses.push_back(Access::write);
  return accesses;
}

std::vector<Access> accesses_of(const PathArgument& argument, const Found& found) {
  switch (argument.intent) {
    case Intent::open: return accesses_of_open(argument.flags, found);
    case Intent::metadata: return {Access::metadata};
    case Intent::change: return {Access::write};
    case Intent::create:
    case Intent::replace: return {Access::create};
    case Intent::remove: return {Access::remove};
    case Intent::keep: return {Access::read};
    case Intent::execute: break;
  }
  return {};
}

// A refusal, and not only a look for something that is not there.
bool is_refusal(int error) {
  return error == EACCES || error == EPERM || error == EROFS || error == ELOOP;
}

}  // namespace

std::string Observer::base_of(const Moment& moment, int directory) {
  if (directory == AT_FDCWD) return book_.directory_of(moment.process);
  return link_of(moment.tid, "fd/" + std::to_string(directory));
}

void Observer::use_path(const Moment& moment, const Found& found, Access access, int error,
                        Answer& answer) {
  std::string path = without_numbers(found.path);
  PathUse& use = entry(paths_, path + '\n' + static_cast<char>('0' + static_cast<int>(access)),
                       spilled_path_, "paths");
  if (use.tally.count == 0) use = {std::move(path), access, found.where, found.type, {}};
  if (found.type != '-') use.type = found.type;
  count(use.tally, moment, error);
  answer.tallies.push_back(&use.tally);
  const bool seen = error != 0 && use.tally.errors[error].exact >= kLooksAtRefusals;
  if (is_refusal(error) && !seen) answer.watch_return = true;
}

int Observer::see_path(const Moment& moment, PathArgument argument, Answer& answer) {
  const auto text = argument.address != 0 ? text_at(moment.tid, argument.address) : std::nullopt;
  if (!text || text->empty()) return 0;  // of a descriptor (AT_EMPTY_PATH), or EFAULT
  if (argument.behind_pointer && !bytes_at(moment.tid, argument.flags, &argument.flags, 8))
    return 0;
  std::string base;
  if (!text->starts_with('/')) {
    base = base_of(moment, argument.directory);
    if (!base.starts_with('/')) return base.empty() ? EBADF : ENOTDIR;
  }
  const Found found =
      resolver_.find(moment.tid, base, *text, argument.follow, moment.process.own_root);
  const int error = prediction_.error_of(argument, found);
  if (argument.intent == Intent::execute) see_program(moment, found, error);
  for (const Access access : accesses_of(argument, found)) {
    use_path(moment, found, access, error, answer);
  }
  return error;
}

void Observer::see_paths(const Moment& moment, Answer& answer) {
  for (const PathArgument& argument : path_arguments(moment.call)) {
    const int error = see_path(moment, argument, answer);
    if (answer.predicted == 0) answer.predicted = error;
  }
}

void Observer::use_program(const Moment& moment, const std::string& path, const char* as,
                           Where where, int error) {
  ProgramUse& use = entry(programs_, path + '\n' + as, spilled_program_, "programs");
  if (use.tally.count == 0) use = {path, as, where, {}};
  count(use.tally, moment, error);
}

// What starts with the program, beside it; returns what is then executed.
std::string Observer::see_interpreters(const Moment& moment, const std::string& path) {
  constexpr int kDeepest = 5;  // scripts whose interpreter is one (execve(2))
  std::string current = path;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const os::Fd file = resolver_.open(moment.tid, current, moment.process.own_root);
    char head[4096];
    const ssize_t size = file.valid() ? ::pread(file.get(), head, sizeof head, 0) : -1;
    if (size <= 0) return current;
    const ProgramStart start = program_start({head, static_cast<std::size_t>(size)});
    const std::string& next = start.interpreter.empty() ? start.loader : start.interpreter;
    if (next.empty()) return current;
    const std::string base = next.starts_with('/') ? "" : book_.directory_of(moment.process);
    const Found found = resolver_.find(moment.tid, base, next, true, moment.process.own_root);
    const bool script = !start.interpreter.empty();
    use_program(moment, found.path, script ? "interpreter" : "loader", found.where, found.error);
    if (!script || found.error != 0) return current;
    current = found.path;
  }
  return current;
}

void Observer::see_program(const Moment& moment, const Found& found, int error) {
  use_program(moment, found.path, "program", found.where, error);
  if (error != 0) return;
  moment.process.executing_as = see_interpreters(moment, found.path);
  moment.process.executing = found.path;
}

}  // namespace rootlet::learn
