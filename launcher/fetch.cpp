// SPDX-License-Identifier: MIT
#include "launcher/fetch.hpp"

#include <fcntl.h>

#include "runtime/os/fd.hpp"
#include "trust/program.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kFetch = "fetch";

std::string path_of(const std::string& address) {
  return address.starts_with("file://") ? address.substr(7) : address;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// curl(1), "EXIT CODES".
std::string hint_for(int status) {
  switch (status) {
    case 6:
    case 7:
    case 28: return "is the network there? rootlet update --from PATH takes a file that is here";
    case 22: return "there is no such file on that server";
    case 35:
    case 60: return "the server is not who it says, by the certificates of this host";
    case 23: return "make room";
    case 63: return "that is larger than what it should be";
    default: return {};
  }
}

Result<trust::Program> curl_for(const std::string& address, std::uint64_t largest,
                                unsigned patience) {
  trust::Program program;
  program.path = TRY(trust::find_program("curl", "curl"));
  // From https never to http: what is asked for in private stays so.
  const std::string onward = address.starts_with("https://") ? "=https" : "=http,https";
  program.arguments = {"--fail",
                       "--location",
                       "--proto",
                       "=http,https",
                       "--proto-redir",
                       onward,
                       "--max-redirs",
                       "10",
                       "--connect-timeout",
                       "20",
                       "--speed-limit",
                       "1",
                       "--speed-time",
                       std::to_string(patience),
                       "--max-filesize",
                       std::to_string(largest),
                       "--globoff"};
  program.largest = largest;
  return program;
}

Error failed(const std::string& address, const trust::ProgramEnd& end) {
  std::string reason = last_line(end.err);
  if (reason.empty()) reason = "curl ended with " + std::to_string(end.status);
  if (reason.starts_with("curl: ")) reason = reason.substr(6);
  return plain_error(kFetch, address, printable(reason), hint_for(end.status));
}

}  // namespace

bool is_remote(const std::string& address) {
  return address.starts_with("http://") || address.starts_with("https://");
}

Result<std::string> fetch_text(const std::string& address, std::uint64_t largest) {
  if (!is_remote(address)) {
    const os::Fd file = TRY(os::open_at(AT_FDCWD, path_of(address), O_RDONLY | O_NONBLOCK));
    return os::read_file(AT_FDCWD, os::fd_path(file.get()), largest);
  }
  const os::Fd memory(TRY(trust::memory_file("")));
  trust::Program program = TRY(curl_for(address, largest, 60));
  program.shared = {memory.get()};
  program.arguments.insert(program.arguments.end(), {"--silent", "--show-error", "--output",
                                                     os::fd_path(memory.get()), "--", address});
  const trust::ProgramEnd end = TRY(trust::run_program(program));
  if (end.status != 0) return failed(address, end);
  return os::read_file(AT_FDCWD, os::fd_path(memory.get()), largest);
}

Status fetch_file(const std::string& address, const std::string& path, std::uint64_t largest,
                  bool show, unsigned patience) {
  trust::Program program = TRY(curl_for(address, largest, patience));
  program.shows_progress = show;
  program.arguments.insert(
      program.arguments.end(),
      {show ? "--progress-bar" : "--silent", "--show-error", "--output", path, "--", address});
  const trust::ProgramEnd end = TRY(trust::run_program(program));
  if (end.status != 0) return failed(address, end);
  return Done{};
}

}  // namespace rootlet
