// SPDX-License-Identifier: MIT
#include "packaging/command.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "packaging/janitor.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRun = "run";
constexpr std::size_t kKept = 64 << 20;  // of its output
constexpr std::size_t kLongestLine = 1 << 20;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// The child: `report` ends with a successful exec, else carries the errno.
[[noreturn]] void become(const Command& command, int output, int report, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::fcntl(report, F_SETFD, FD_CLOEXEC);
  int code = 0;
  if (::chdir("/") == 0) {
    ::execvpe(command.words[0].c_str(), pointers(command.words).data(),
              pointers(command.environment).data());
  }
  code = errno;
  (void)!::write(report, &code, sizeof code);
  ::_exit(1);
}

// Splits what arrives into lines.
class Lines {
 public:
  explicit Lines(const Command& command) : command_(command) {}

  void take(std::string_view bytes) {
    output_ += bytes;
    if (output_.size() > 2 * kKept) output_.erase(0, output_.size() - kKept);
    if (!command_.on_line) return;
    for (const char letter : bytes) {
      if (letter == '\n' || letter == '\r') {
        command_.on_line(line_);
        line_.clear();
      } else if (line_.size() < kLongestLine) {
        line_ += letter;
      }
    }
  }
  std::string output() && { return std::move(output_); }

 private:
  const Command& command_;
  std::string output_, line_;
};

// Until it and all that it started have closed their output.
void read_all(int fd, Lines& lines) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    lines.take({buffer.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace

Result<CommandEnd> run_command(const Command& command) {
  auto output = TRY(os::make_pipe(kRun));
  auto report = TRY(os::make_pipe(kRun));
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return last_error(kRun, command.words[0]);
  if (pid == 0) become(command, output.second.get(), report.second.get(), self);
  ::setpgid(pid, pid);  // in both, so that neither needs to wait for the other
  set_group_to_end(pid);
  output.second.reset();
  report.second.reset();
  Lines lines(command);
  read_all(output.first.get(), lines);
  int code = 0;
  const bool failed = ::read(report.first.get(), &code, sizeof code) == sizeof code;
  CommandEnd end;
  end.wait_status = os::wait_for(pid);
  set_group_to_end(0);
  end.output = std::move(lines).output();
  if (failed) return Error{code, std::string(kRun), command.words[0], "", ""};
  return end;
}

std::string telling_line(const std::string& output, const std::vector<std::string_view>& starts) {
  std::string last;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    for (const std::string_view start : starts) {
      if (line.starts_with(start)) return line;
    }
    if (!line.empty()) last = line;
    at = end + 1;
  }
  return last;
}

}  // namespace rootlet::packaging
