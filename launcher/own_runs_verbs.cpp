// SPDX-License-Identifier: MIT
#include <sys/syscall.h>
#include <unistd.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "launcher/own_runs.hpp"
#include "launcher/verbs.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/os/control_group.hpp"

// ps, kill and stats: the caller's own runs, seen from outside.
namespace rootlet {
namespace {

int fail(const Error& error) {
  print_error(error);
  return error.exit_code;
}

int mistake(const std::string& verb, std::string_view reason, std::string_view usage) {
  return fail(plain_error("read the command line", verb, reason, usage));
}

// The words of a verb: --json, --help, and what else there is.
struct Words {
  bool json = false, help = false;
  std::vector<std::string> others;
};
Words words_of(int argc, char** argv) {
  Words words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json") {
      words.json = true;
    } else if (word == "--help" || word == "-h") {
      words.help = true;
    } else {
      words.others.push_back(word);
    }
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return printable(text);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<unsigned long>(seconds);
  char text[32];
  std::snprintf(text, sizeof text, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

void write_run(JsonText& json, const OwnRun& run, std::size_t processes) {
  json.number("run", run.number).text("file", run.file).array("command");
  for (const std::string& word : run.command) json.text(word);
  json.close().number("seconds", static_cast<std::int64_t>(run.seconds()));
  json.number("processes", static_cast<std::int64_t>(processes));
}

// What a run has used, as its processes and its control groups tell.
struct Usage {
  std::size_t processes = 0;
  std::uint64_t threads = 0, memory = 0;
  double cpu_seconds = 0;
  std::vector<std::pair<std::string, std::uint64_t>> groups;  // "memory.max", ...
};

void add_group(Usage& usage, const std::string& group, const std::string& mounts,
               std::string_view controller, std::initializer_list<const char*> files) {
  const auto place = os::find_hierarchy(controller, group, mounts);
  if (!place || place->directory.find("/rootlet-") == std::string::npos) return;
  for (const char* file : files) {
    auto text = os::read_file(AT_FDCWD, place->directory + "/" + file, 64);
    if (!text.ok() || text.value().empty() || text.value()[0] == 'm') continue;  // "max": none
    usage.groups.emplace_back(file, std::strtoull(text.value().c_str(), nullptr, 10));
  }
}

Usage usage_of(const OwnRun& run) {
  Usage usage;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  usage.cpu_seconds = static_cast<double>(run.init.cpu) / ticks;
  const auto processes = processes_of(run);
  usage.processes = processes.size();
  for (const os::ProcessFacts& process : processes) {
    usage.threads += process.threads;
    usage.cpu_seconds += static_cast<double>(process.cpu) / ticks;
    usage.memory += os::proportional_memory(process.pid);
  }
  if (processes.empty()) return usage;
  auto group =
      os::read_file(AT_FDCWD, "/proc/" + std::to_string(processes[0].pid) + "/cgroup", 1u << 16);
  auto mounts = os::read_file(AT_FDCWD, "/proc/self/mountinfo", 1u << 20);
  if (!group.ok() || !mounts.ok()) return usage;
  add_group(usage, group.value(), mounts.value(), "memory",
            {"memory.max", "memory.current", "memory.limit_in_bytes", "memory.usage_in_bytes"});
  add_group(usage, group.value(), mounts.value(), "pids", {"pids.max", "pids.current"});
  return usage;
}

// "TERM", "SIGTERM" or "15"; 0 for what is none.
int signal_number(const std::string& name) {
  if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos) {
    const long number = std::strtol(name.c_str(), nullptr, 10);
    return number < _NSIG ? static_cast<int>(number) : 0;
  }
  const std::string plain = name.starts_with("SIG") ? name.substr(3) : name;
  for (int number = 1; number < _NSIG; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && plain == known) return number;
  }
  return 0;
}

}  // namespace

int ps_verb(int argc, char** argv) {
  const Words words = words_of(argc, argv);
  if (words.help) {
    std::puts(
        "Usage: rootlet ps [--json]\n"
        "Lists your runs that go on now, the oldest first. RUN is the number of the\n"
        "launcher.\n\n"
        "Examples:\n"
        "  rootlet ps\n"
        "  rootlet ps --json | jq '.[].run'");
    return 0;
  }
  if (!words.others.empty())
    return mistake("rootlet ps", words.others[0] + ": what is that?", "rootlet ps [--json]");
  JsonText json;
  json.array();
  std::string text = "    RUN      TIME  PROCESSES  COMMAND\n";
  for (const OwnRun& run : own_runs()) {
    const std::size_t processes = processes_of(run).size();
    write_run(json.object(), run, processes);
    json.close();
    char front[64];
    std::snprintf(front, sizeof front, "%7d %9s  %9zu  ", run.number,
                  clock_text(run.seconds()).c_str(), processes);
    text += front + joined(run.command) + "\n";
  }
  json.close();
  std::fputs((words.json ? json.str() + "\n" : text).c_str(), stdout);
  return 0;
}

int kill_verb(int argc, char** argv) {
  constexpr std::string_view kUsage = "rootlet kill [-SIGNAL] RUN";
  Words words = words_of(argc, argv);
  if (words.help) {
    std::puts(
        "Usage: rootlet kill [-SIGNAL] RUN\n"
        "Sends a signal (TERM) to the launcher of one of your runs, which hands it to the\n"
        "tool. KILL ends the launcher, and the whole run with it.\n\n"
        "Examples:\n"
        "  rootlet kill 4711\n"
        "  rootlet kill -KILL 4711");
    return 0;
  }
  int signal = SIGTERM;
  if (!words.others.empty() && words.others[0].starts_with("-")) {
    signal = signal_number(words.others[0].substr(1));
    if (signal == 0) return mistake("rootlet kill", words.others[0] + " is no signal", kUsage);
    words.others.erase(words.others.begin());
  }
  if (words.others.size() != 1) return mistake("rootlet kill", "it takes one RUN", kUsage);
  auto found = find_run(words.others[0]);
  if (!found.ok()) return fail(found.error());
  if (::syscall(SYS_pidfd_send_signal, found.value().launcher.get(), signal, nullptr, 0) != 0) {
    return fail(last_error("send a signal", words.others[0]));
  }
  return 0;
}

int stats_verb(int argc, char** argv) {
  constexpr std::string_view kUsage = "rootlet stats RUN [--json]";
  const Words words = words_of(argc, argv);
  if (words.help) {
    std::puts(
        "Usage: rootlet stats RUN [--json]\n"
        "What one of your runs has used up to now. Memory is the sum of its processes,\n"
        "what they share counted once; with limits by control groups, also what these\n"
        "count.\n\n"
        "Examples:\n"
        "  rootlet stats 4711\n"
        "  rootlet stats 4711 --json | jq .memory_bytes");
    return 0;
  }
  if (words.others.size() != 1) return mistake("rootlet stats", "it takes one RUN", kUsage);
  auto found = find_run(words.others[0]);
  if (!found.ok()) return fail(found.error());
  const OwnRun& run = found.value().run;
  const Usage usage = usage_of(run);
  if (words.json) {
    JsonText json;
    write_run(json.object(), run, usage.processes);
    json.number("threads", static_cast<std::int64_t>(usage.threads));
    json.number("cpu_milliseconds", static_cast<std::int64_t>(usage.cpu_seconds * 1000));
    json.number("memory_bytes", static_cast<std::int64_t>(usage.memory)).object("groups");
    for (const auto& [name, value] : usage.groups)
      json.number(name.c_str(), static_cast<std::int64_t>(value));
    json.close().close();
    std::puts(json.str().c_str());
    return 0;
  }
  std::printf("run        %d\ncommand    %s\ntime       %s\nprocesses  %zu\nthreads    %" PRIu64
              "\ncpu        %.2f s\nmemory     %.1f MiB\n",
              run.number, joined(run.command).c_str(), clock_text(run.seconds()).c_str(),
              usage.processes, usage.threads, usage.cpu_seconds,
              static_cast<double>(usage.memory) / (1 << 20));
  for (const auto& [name, value] : usage.groups) {
    std::printf("%-10s %" PRIu64 "\n", name.c_str(), value);
  }
  return 0;
}

}  // namespace rootlet
