// SPDX-License-Identifier: MIT
#include "packaging/self_test.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "packaging/stub.hpp"
#include "runtime/os/fd.hpp"

extern char** environ;

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRun = "run the self-test";
constexpr std::size_t kKept = 4096;  // of the output
constexpr int kImage = 5, kStatus = 6;
// Over the test's own limit, until we end the launcher ourselves.
constexpr std::chrono::seconds kGrace{15};

using Clock = std::chrono::steady_clock;

std::vector<std::string> command_line(const SelfTest& test, const std::string& rootlet) {
  std::vector<std::string> words{rootlet,
                                 "exec",
                                 "--net=none",
                                 "--home=none",
                                 "--cwd=/tmp",
                                 "--timeout=" + std::to_string(test.seconds),
                                 "--status-fd=" + std::to_string(kStatus)};
  for (const std::string& path : test.data_paths) words.push_back("--data-path=" + path);
  words.insert(words.end(), test.options.begin(), test.options.end());
  words.push_back(test.fd >= 0 ? "/proc/self/fd/" + std::to_string(kImage) : test.image);
  words.insert(words.end(), test.command.begin(), test.command.end());
  return words;
}

// The caller's settings are no part of what is tested.
std::vector<std::string> environment() {
  std::vector<std::string> env{"XDG_CONFIG_HOME=/nonexistent"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("ROOTLET_") && !text.starts_with("XDG_CONFIG_HOME=")) {
      env.emplace_back(text);
    }
  }
  return env;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become_test(const SelfTest& test, char* const* argv, char* const* env, int output,
                              int status) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Of a process group of its own, so that nothing of it outlives a Ctrl-C of ours.
  const int null = ::open("/dev/null", O_RDWR);
  // High numbers first: none of the targets is in the way of another.
  const int image = test.fd >= 0 ? ::fcntl(test.fd, F_DUPFD, 20) : -1;
  const int told = ::fcntl(status, F_DUPFD, 20);
  const int said = ::fcntl(output, F_DUPFD, 20);
  ::dup2(null, 0);
  ::dup2(said, 1);
  ::dup2(said, 2);
  ::dup2(told, kStatus);
  if (image >= 0) ::dup2(image, kImage);
  // The image and the status; the rest is closed by exec, or here.
  for (const int fd : {null, image, told, said}) {
    if (fd > kStatus) ::close(fd);
  }
  if (::chdir("/") == 0) ::execve(argv[0], argv, env);
  ::_exit(125);
}

// What was read of two pipes until both ended, or the time is over.
struct Heard {
  std::string output, status;
  bool in_time = true;
};

Heard listen(int output, int status, Clock::time_point until) {
  Heard heard;
  pollfd events[2] = {{output, POLLIN, 0}, {status, POLLIN, 0}};
  while (events[0].fd >= 0 || events[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) {
      heard.in_time = false;
      break;
    }
    if (::poll(events, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) break;
    for (pollfd& event : events) {
      if (event.fd < 0 || event.revents == 0) continue;
      char buffer[4096];
      const ssize_t got = ::read(event.fd, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      std::string& into = &event == events ? heard.output : heard.status;
      if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
      if (into.size() > 4 * kKept) into.erase(0, into.size() - 2 * kKept);
      if (got <= 0) event.fd = -1;
    }
  }
  if (heard.output.size() > kKept) heard.output.erase(0, heard.output.size() - kKept);
  return heard;
}

bool seems_to_want_network(const std::string& output) {
  for (const char* sign :
       {"Network is unreachable", "Temporary failure in name resolution", "Could not resolve host",
        "Name or service not known", "ENETUNREACH", "EAI_AGAIN", "No route to host", "getaddrinfo",
        "UnknownHostException", "Cannot assign requested address"}) {
    if (output.find(sign) != std::string::npos) return true;
  }
  return false;
}

std::string text_of(const nlohmann::json& event, const char* key) {
  return event.contains(key) && event[key].is_string() ? event[key].get<std::string>() : "";
}

SelfTestResult judge_end(const nlohmann::json& event, const SelfTest& test, SelfTestResult result) {
  result.outcome = SelfTestResult::Outcome::failed;
  for (const auto& limit : event.value("limits", nlohmann::json::array())) {
    if (limit == "timeout") {
      result.reason = "it hangs: ended after " + std::to_string(test.seconds) + " s";
      result.hint = "give it more with --selftest-timeout, or have it end by itself";
      return result;
    }
  }
  if (event["signal"].is_number()) {
    result.reason = "it died of " + text_of(event, "signal_name");
  } else if (event["code"] == 0) {
    result.outcome = SelfTestResult::Outcome::passed;
    return result;
  } else {
    result.reason = "it ended with " + event["code"].dump();
  }
  if (seems_to_want_network(result.output)) {
    result.reason += "; it seems to want the network, which a self-test has not";
    result.hint = "test what needs none";
  }
  return result;
}

// What the launcher told is no word of the test's.
std::string without_our_lines(const std::string& output) {
  std::string kept;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size() - 1) + 1;
    const std::string line = output.substr(at, end - at);
    if (!line.starts_with("rootlet: ") && !line.starts_with("hint: ")) kept += line;
    at = end;
  }
  return kept;
}

// The last line is the run's end, whatever came before (docs/status.md).
SelfTestResult judge(const Heard& heard, const SelfTest& test, int code) {
  SelfTestResult result;
  result.output = without_our_lines(heard.output);
  nlohmann::json event;
  for (std::size_t at = 0; at < heard.status.size();) {
    const std::size_t end = std::min(heard.status.find('\n', at), heard.status.size());
    auto line = nlohmann::json::parse(heard.status.substr(at, end - at), nullptr, false);
    if (line.is_object()) event = std::move(line);
    at = end + 1;
  }
  const std::string kind = event.is_object() ? text_of(event, "event") : "";
  if (!heard.in_time) {
    result.outcome = SelfTestResult::Outcome::failed;
    result.reason = "it hangs, and so does its run";
  } else if (kind == "exit") {
    return judge_end(event, test, std::move(result));
  } else if (kind == "error" && event["code"] != 125) {
    result.outcome = SelfTestResult::Outcome::failed;
    result.reason = text_of(event, "subject") + ": " + text_of(event, "reason");
  } else {
    result.outcome = SelfTestResult::Outcome::could_not;
    result.reason = kind == "error" ? text_of(event, "action") + ": " + text_of(event, "subject") +
                                          ": " + text_of(event, "reason")
                                    : "rootlet ended with " + std::to_string(code);
    result.hint = kind == "error" ? text_of(event, "hint") : "";
  }
  return result;
}

}  // namespace

Result<SelfTestResult> run_self_test(const SelfTest& test) {
  const std::string rootlet = find_own_program();
  if (rootlet.empty()) {
    return plain_error(kRun, "rootlet", "not found beside this program",
                       "install it, or leave the self-test out with --no-selftest");
  }
  int output[2], status[2];
  if (::pipe2(output, O_CLOEXEC) != 0) return last_error(kRun);
  const os::Fd hear_output(output[0]);
  os::Fd say_output(output[1]);
  if (::pipe2(status, O_CLOEXEC) != 0) return last_error(kRun);
  const os::Fd hear_status(status[0]);
  os::Fd say_status(status[1]);
  std::vector<std::string> words = command_line(test, rootlet), env = environment();
  const std::vector<char*> argv = pointers(words), variables = pointers(env);

  const auto began = Clock::now();
  const pid_t child = ::fork();
  if (child < 0) return last_error(kRun);
  if (child == 0) {
    become_test(test, argv.data(), variables.data(), say_output.get(), say_status.get());
  }
  say_output.reset();
  say_status.reset();
  const Heard heard = listen(hear_output.get(), hear_status.get(),
                             began + std::chrono::seconds(test.seconds) + kGrace);
  if (!heard.in_time) ::kill(child, SIGKILL);
  int ended = 0;
  while (::waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  SelfTestResult result = judge(heard, test, WIFEXITED(ended) ? WEXITSTATUS(ended) : 125);
  result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return result;
}

Error self_test_error(const SelfTestResult& result, const std::vector<std::string>& command) {
  std::string words;
  for (const std::string& word : command) words += (words.empty() ? "" : " ") + word;
  // A script among them is told by its first line.
  constexpr std::size_t kShown = 80;
  const std::size_t end = std::min(words.find('\n'), kShown);
  if (end < words.size()) words = words.substr(0, end) + " ...";
  std::string reason = result.reason;
  const bool ran = result.outcome == SelfTestResult::Outcome::failed;
  if (ran && !result.output.empty()) {
    // One line: an error is one. The whole of it: rootlet check.
    std::string last = result.output;
    while (!last.empty() && last.back() == '\n') last.pop_back();
    last = last.substr(last.rfind('\n') + 1);
    reason += ", and said last: " + printable(last.substr(0, 200));
  }
  Error error = plain_error(kRun, words, reason, result.hint);
  if (error.hint.empty()) {
    error.hint =
        ran ? "mend the image or the policy's selftest; --no-selftest packs it all the same"
            : "--no-selftest packs it without";
  }
  return error;
}

}  // namespace rootlet::packaging
