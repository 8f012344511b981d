// SPDX-License-Identifier: MIT
#include "launcher/own_runs.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "runtime/os/clock.hpp"

namespace rootlet {
namespace {

std::string text_of(pid_t pid, const char* name) {
  auto text = os::read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/" + name, 1u << 20);
  return text.ok() ? std::move(text).value() : std::string();
}

std::vector<unsigned long> numbers_behind(const std::string& status, const std::string& key) {
  std::vector<unsigned long> numbers;
  const std::size_t at = status.find("\n" + key + ":\t");
  if (at == std::string::npos) return numbers;
  const char* text = status.c_str() + at + key.size() + 2;
  while (*text == '\t') {
    char* end = nullptr;
    numbers.push_back(std::strtoul(text + 1, &end, 10));
    text = end;
  }
  return numbers;
}

std::vector<std::string> command_line(pid_t pid) {
  std::vector<std::string> words;
  std::string rest = text_of(pid, "cmdline");
  for (std::size_t end; (end = rest.find('\0')) != std::string::npos; rest.erase(0, end + 1)) {
    words.push_back(rest.substr(0, end));
  }
  return words;
}

// Our own code: a packed file, or this command. An init whose launcher was killed
// belongs for a moment to whoever adopts orphans, which may be the caller's own
// service manager: that must never pass for a run.
bool is_launcher(pid_t pid, std::string& file) {
  const std::string link = "/proc/" + std::to_string(pid) + "/exe";
  char text[4096];
  const ssize_t length = ::readlink(link.c_str(), text, sizeof text);
  if (length <= 0) return false;
  file.assign(text, static_cast<std::size_t>(length));
  auto front = os::read_file(AT_FDCWD, link, 16);
  if (front.ok() && front.value().size() == 16 && front.value().substr(8, 3) == "AI\x02")
    return true;
  std::string name = file.substr(file.rfind('/') + 1);
  return name == "rootlet" || name == "rootlet (deleted)";
}

// A run whose init this is, if it is one of the caller's.
std::optional<OwnRun> run_of(const os::ProcessFacts& init) {
  // NSpid: its number in each PID namespace, ours first (Linux 4.1, proc(5)).
  const auto inside = numbers_behind(text_of(init.pid, "status"), "NSpid");
  if (inside.size() != 2 || inside[1] != 1) return {};
  const std::string launcher = text_of(init.parent, "status");
  const auto uids = numbers_behind(launcher, "Uid");
  if (numbers_behind(launcher, "NSpid").size() != 1) return {};
  if (uids.empty() || uids[0] != ::getuid()) return {};
  OwnRun run;
  run.number = init.parent;
  run.init = init;
  run.command = command_line(init.parent);
  if (!is_launcher(init.parent, run.file)) return {};
  return run;
}

}  // namespace

double OwnRun::seconds() const {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);  // what `started` counts in
  const double since =
      static_cast<double>(init.started) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return std::max(
      0.0, static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 - since);
}

std::vector<OwnRun> own_runs() {
  std::vector<OwnRun> runs;
  for (const os::ProcessFacts& process : os::all_processes()) {
    if (process.name != "rootlet-init" || process.state == 'Z') continue;
    if (auto run = run_of(process)) runs.push_back(std::move(*run));
  }
  std::sort(runs.begin(), runs.end(), [](const OwnRun& a, const OwnRun& b) {
    return a.init.started != b.init.started ? a.init.started < b.init.started : a.number < b.number;
  });
  return runs;
}

Result<HeldRun> find_run(const std::string& number) {
  constexpr std::string_view kFind = "find the run";
  const long pid = std::strtol(number.c_str(), nullptr, 10);
  os::Fd launcher(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!launcher.valid() && errno != ESRCH && errno != EINVAL) return last_error(kFind, number);
  if (launcher.valid()) {
    for (OwnRun& run : own_runs()) {
      if (run.number == pid) return HeldRun{std::move(run), std::move(launcher)};
    }
  }
  return plain_error(kFind, number, "no run of yours has this number", "rootlet ps lists them");
}

bool names_a_run(const std::string& word) {
  if (word.empty() || word.find_first_not_of("0123456789") != std::string::npos) return false;
  return ::access(word.c_str(), F_OK) != 0;
}

std::vector<os::ProcessFacts> processes_of(const OwnRun& run) {
  auto processes = os::processes_below(run.init.pid);
  std::erase_if(processes, [](const os::ProcessFacts& process) { return process.state == 'Z'; });
  return processes;
}

}  // namespace rootlet
