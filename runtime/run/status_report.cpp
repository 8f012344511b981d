// SPDX-License-Identifier: MIT
#include "runtime/run/status_report.hpp"

#include <poll.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "runtime/base/log.hpp"
#include "runtime/base/option_text.hpp"
#include "runtime/os/clock.hpp"
#include "runtime/os/process.hpp"
#include "runtime/run/outcome.hpp"
#include "runtime/run/run_record.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kReport = "report the status";

// With somebody else's rights nothing is opened; the run is refused later.
bool privileged() { return ::getauxval(AT_SECURE) != 0; }

Result<os::Fd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return plain_error(kReport, path, "the path of a socket has at most 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  // A datagram for each line, where the listener takes them.
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    os::Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return last_error(kReport, path);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      return socket;
    }
    if (errno != EPROTOTYPE) break;
  }
  return last_error(kReport, path, "something must listen on the socket before the run starts");
}

// So short that a line fits into a pipe whole or not at all (PIPE_BUF, pipe(7)).
constexpr std::size_t kMost = 1000;

// A pipe's own description may be shared with anybody, so its flags are not
// ours to change; the same pipe opened anew has flags of its own.
os::Fd opened_anew(int fd) {
  return os::Fd(::open(os::fd_path(fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

StatusReport& StatusReport::of_this_run() {
  static StatusReport report;
  return report;
}

Status StatusReport::look_at(std::string_view subject) {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return last_error(kReport, subject);
  kind_ = S_ISSOCK(status.st_mode)                              ? Kind::socket
          : S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ? Kind::pipe
                                                                : Kind::file;
  if (S_ISDIR(status.st_mode)) return plain_error(kReport, subject, "it is a directory");
  return Done{};
}

Status StatusReport::open_descriptor(const std::string& number) {
  char* end = nullptr;
  const long fd = std::strtol(number.c_str(), &end, 10);
  if (number.empty() || *end != '\0' || fd < 0 || fd > INT_MAX) {
    return plain_error("read the options", option_text("status-fd"),
                       "'" + number + "' is no descriptor's number");
  }
  if (privileged()) return Done{};
  const int copy = ::fcntl(static_cast<int>(fd), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return last_error(kReport, "descriptor " + number);
  fd_ = os::Fd(copy);
  TRY(look_at("descriptor " + number));
  if (kind_ != Kind::pipe) return Done{};
  if (os::Fd own = opened_anew(copy); own.valid()) fd_ = std::move(own);
  return Done{};
}

Status StatusReport::open_path(const std::string& path) {
  if (privileged()) return Done{};
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  if (there && S_ISSOCK(status.st_mode)) {
    fd_ = TRY(connect_to(path));
  } else {
    // Reading and writing, so that a FIFO opens before its reader does (fifo(7)).
    const int how = there && S_ISFIFO(status.st_mode) ? O_RDWR : O_WRONLY | O_CREAT | O_TRUNC;
    const int raw = ::open(path.c_str(), how | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (raw < 0) return last_error(kReport, path);
    fd_ = os::Fd(raw);
  }
  return look_at(path);
}

void StatusReport::describe(const std::string& image, const std::string& program, bool isolated) {
  image_ = image;
  program_ = program;
  isolated_ = isolated;
}

void StatusReport::note(const std::string& line) {
  Log::note(line);
  constexpr std::size_t kAll = 1200;  // all together, for the same reason
  std::size_t size = json_string(line).size();
  for (const std::string& earlier : notes_) size += json_string(earlier).size();
  if (size <= kAll) notes_.push_back(line);
}

void StatusReport::started() {
  JsonText json;
  json.object().text("event", "started").text("rootlet", ROOTLET_VERSION);
  json.number("pid", ::getpid()).text("image", bounded(image_, kMost));
  json.text("program", bounded(program_, kMost)).truth("isolated", isolated_);
  json.texts("notes", notes_).close();
  write_line(json.str());
}

void StatusReport::refused(int pid, const std::string& program, const std::string& what,
                           const std::string& rules, const std::string& allow, bool enforced) {
  JsonText json;
  json.object()
      .text("event", "refused")
      .number("pid", pid)
      .text("program", bounded(program, kMost));
  json.text("what", bounded(what, kMost))
      .text("rules", bounded(rules, kMost))
      .text("allow", bounded(allow, kMost));
  json.truth("enforced", enforced).close();
  write_line(json.str());
}

void StatusReport::ended(int wait_status) {
  JsonText json;
  json.object().text("event", "exit");
  tell_end(json, wait_status);
  json.texts("limits", limits_);
  // Of all that were waited for: init and what it reaped, and a private server.
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  json.number("cpu_ms", os::milliseconds(used.ru_utime) + os::milliseconds(used.ru_stime));
  json.number("max_rss_kib", used.ru_maxrss).close();
  write_line(json.str());
}

void StatusReport::failed(const Error& error) {
  JsonText json;
  json.object().text("event", "error").number("code", error.exit_code);
  tell_error(json, error, kMost);
  json.close();
  write_line(json.str());
}

void StatusReport::write_line(const std::string& line) {
  if (!wanted()) return;
  if (dropped_ > 0) {
    JsonText mark;
    mark.object().text("event", "dropped").number("lines", dropped_).close();
    if (put(mark.str() + "\n")) dropped_ = 0;
  }
  if (dropped_ > 0 || !put(line + "\n")) ++dropped_;
}

// All of the line or nothing. SIGPIPE is no news for a run, and none for the
// tool, to whom the launcher would hand it on.
bool StatusReport::put(const std::string& line) {
  if (kind_ == Kind::socket) {
    return ::send(fd_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
           static_cast<ssize_t>(line.size());
  }
  pollfd room{fd_.get(), POLLOUT, 0};
  if (kind_ == Kind::pipe && (::poll(&room, 1, 0) <= 0 || (room.revents & POLLOUT) == 0)) {
    return false;
  }
  sigset_t only, before;
  ::sigemptyset(&only);
  ::sigaddset(&only, SIGPIPE);
  ::sigprocmask(SIG_BLOCK, &only, &before);
  const bool whole =
      ::write(fd_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (!whole && errno == EPIPE) {
    const timespec none{};
    ::sigtimedwait(&only, nullptr, &none);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return whole;
}

void end_run(const Result<int>& outcome) {
  StatusReport& report = StatusReport::of_this_run();
  if (!outcome.ok()) print_error(outcome.error());
  RunRecord::of_this_run().end(outcome, report.limits());
  if (!outcome.ok()) {
    report.failed(outcome.error());
    ::_exit(outcome.error().exit_code);
  }
  report.ended(outcome.value());
  os::end_as(outcome.value());
}

}  // namespace rootlet
