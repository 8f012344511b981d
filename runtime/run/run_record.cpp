// SPDX-License-Identifier: MIT
#include "runtime/run/run_record.hpp"

#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "runtime/base/log.hpp"
#include "runtime/base/text.hpp"
#include "runtime/image/tally.hpp"
#include "runtime/os/clock.hpp"
#include "runtime/run/file_digests.hpp"
#include "runtime/run/outcome.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/run/record_facts.hpp"
#include "runtime/run/status_report.hpp"

namespace rootlet {
namespace {

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

// A random UUID (RFC 4122, version 4).
std::string new_id() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
  unsigned char bytes[36] = {};
  (void)::getrandom(bytes, sizeof bytes, 0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 'x') text[i] = kDigits[bytes[i] & 15];
  }
  return text;
}

// A standard stream reads or writes a file, from its beginning on.
bool has_a_file(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ::lseek(fd, 0, SEEK_CUR) == 0 &&
         (fd == STDIN_FILENO || status.st_size == 0);
}

std::string name_of_stream(int fd) {
  char name[4096];
  const ssize_t length = ::readlink(os::fd_path(fd).c_str(), name, sizeof name);
  return {name, length > 0 ? static_cast<std::size_t>(length) : 0};
}

}  // namespace

RunRecord& RunRecord::of_this_run() {
  static RunRecord& record = *new RunRecord;  // for the last act, and so never destroyed
  return record;
}

void RunRecord::go_to(const std::string& where) {
  // With somebody else's rights nothing is written; the run is refused later.
  where_ = where == "none" || ::getauxval(AT_SECURE) != 0 ? "" : where;
  id_ = new_id();
  start_ = now();
}

// Where it lies below the caller's directory, from there: the same run elsewhere
// has the same record.
std::string RunRecord::shown(const std::string& path) const {
  const std::string whole = path[0] == '/' ? path : joined(directory_, path);
  const std::size_t below = directory_.size() + 1;
  return whole.size() > below && is_below(whole, directory_) ? whole.substr(below) : whole;
}

Status RunRecord::open() {
  const std::string time = utc_text(start_);
  TRY(file_.open(where_, join({std::string_view(time).substr(0, 10), "-", id_, ".json"}), home_));
  json_ = JsonText();
  json_.object().number("record", 1).text("rootlet", ROOTLET_VERSION).text("id", id_);
  json_.text("start", time).number("pid", ::getpid());
  return Done{};
}

Status RunRecord::begin(const Facts& facts) {
  if (where_.empty()) return Done{};
  home_ = facts.caller.home;
  directory_ = facts.caller.cwd.value_or("/");
  if (auto opened = open(); !opened.ok()) {
    forget();
    return opened;
  }
  if (!release.empty()) json_.raw("release", release);
  tell_images(json_, facts);
  tell_tool(json_, facts);
  tell_options(json_, facts.options);
  tell_environment(json_, facts);
  if (!without_host) tell_host(json_, facts.caller);
  tell_inputs(facts);
  JsonText whole = json_;
  return file_.write(whole.text("state", "running").close().str() + "\n");
}

void RunRecord::tell_inputs(const Facts& facts) {
  const Options& options = facts.options;
  for (const std::string& file : options.rules) {
    if (file != "none") inputs.push_back(file);
  }
  inputs.insert(inputs.end(), options.inputs.begin(), options.inputs.end());
  outputs.insert(outputs.end(), options.outputs.begin(), options.outputs.end());
  json_.array("inputs");
  for (const std::string& path : inputs) tell_files(json_, path, shown(path));
  json_.close();
  if (has_a_file(STDIN_FILENO)) {
    json_.object("stdin").text("path", shown(name_of_stream(STDIN_FILENO)));
    tell_content(json_, STDIN_FILENO);
    json_.close();
  }
  standard_output_ = has_a_file(STDOUT_FILENO);
}

void RunRecord::watch(const std::vector<image::Server>& servers) {
  if (where_.empty()) return;
  for (const image::Server& server : servers) {
    tallies_.push_back(::fcntl(server.tally.get(), F_DUPFD_CLOEXEC, 3));
    before_.push_back(image::look_at(tallies_.back()).value_or(0));
  }
}

void RunRecord::tell_outcome(JsonText& json, const Result<int>& outcome,
                             const std::vector<std::string>& limits_met) const {
  json.text("state", outcome.ok() ? "ended" : "failed");
  if (outcome.ok()) {
    tell_end(json, outcome.value());
  } else {
    json.number("code", outcome.error().exit_code).object("error");
    tell_error(json, outcome.error());
    json.close();
  }
  json.texts("limits_met", limits_met).texts("notes", StatusReport::of_this_run().notes());
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  json.number("user_ms", os::milliseconds(used.ru_utime));
  json.number("system_ms", os::milliseconds(used.ru_stime)).number("max_rss_kib", used.ru_maxrss);
  if (peak_memory_ > 0) json.number("peak_bytes", static_cast<std::int64_t>(peak_memory_));
  json.array("read_bytes");
  for (std::size_t i = 0; i < tallies_.size(); ++i) {
    const auto after = image::look_at(tallies_[i]);
    json.number("", static_cast<std::int64_t>(after.value_or(before_[i]) - before_[i]));
  }
  json.close();
}

void RunRecord::end(const Result<int>& outcome, const std::vector<std::string>& limits_met) {
  // Of what ended well without a run (--help, a dry run) there is nothing to say;
  // and where a record cannot be, the error of the run is the one to be told.
  if (where_.empty() || (!file_.is_open() && (outcome.ok() || !open().ok()))) return;
  JsonText& json = json_;
  json.text("end", utc_text(now()));
  tell_outcome(json, outcome, limits_met);
  json.array("outputs");
  for (const std::string& path : outputs) {
    tell_files(json, path[0] == '/' ? path : joined(directory_, path), shown(path));
  }
  json.close();
  if (!found_inputs.empty()) {
    json.array("found_inputs");
    for (const std::string& path : found_inputs) tell_files(json, path, shown(path));
    json.close();
  }
  if (standard_output_) {
    json.object("stdout").text("path", shown(name_of_stream(STDOUT_FILENO)));
    // Its own descriptor may be for writing alone.
    const os::Fd out(::open(os::fd_path(STDOUT_FILENO).c_str(), O_RDONLY | O_CLOEXEC));
    tell_content(json, out.get());
    json.close();
  }
  const auto written = file_.write(json.close().str() + "\n");
  if (!written.ok()) Log::note(written.error().message() + "; the record stays incomplete");
}

}  // namespace rootlet
