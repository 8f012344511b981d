// SPDX-License-Identifier: MIT
#include "launcher/records/rerun.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "launcher/records/same_image.hpp"
#include "packaging/stub.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::records {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRerun = "repeat the run";

std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == ':' || c == ',' || c == '!' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

// Everything that the new run is told.
class Repetition {
 public:
  Repetition(const Json& record, const RerunRequest& request)
      : record_(record), request_(request), moved_(all_moves(record, request)) {
    directory_ = request.directory.empty() ? text_at(record, "directory") : request.directory;
    isolated_ = text_at(object_at(record, "plan"), "profile") == "isolated";
  }

  Status prepare() {
    if (!record_.contains("argv") && !record_.contains("arguments")) {
      return plain_error(kRerun, text_at(record_, "id"),
                         "it failed before it was known what to run");
    }
    TRY(make_room());
    TRY(add_options());
    const std::string image = TRY(find_same_image(record_, request_.image));
    const std::string program = text_at(record_, "program");
    std::vector<std::string> arguments = texts_at(record_, "arguments");
    if (!program.empty() && program != "/AppRun") {
      option("exec", program);
      arguments = texts_at(record_, "argv");
      if (!arguments.empty()) arguments.erase(arguments.begin());
    }
    option("record", new_record());
    words_.push_back(image);
    for (const std::string& argument : arguments) words_.push_back(moved_.of(argument));
    return Done{};
  }

  Result<Rerun> run() {
    const std::string program = packaging::find_own_program();
    if (program.empty())
      return plain_error(kRerun, "rootlet", "it does not lie beside this program");
    std::vector<std::string> words{program, "run"};
    words.insert(words.end(), words_.begin(), words_.end());
    const pid_t child = ::fork();
    if (child < 0) return last_error(kRerun);
    if (child == 0) ::_exit(become(words));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    std::string command;
    for (const std::string& word : words) command += (command.empty() ? "" : " ") + word;
    return Rerun{TRY(read_record(new_record())), places_, command};
  }

  void clean_up() const {
    std::error_code ignored;
    if (request_.into.empty() && !room_.empty()) fs::remove_all(room_, ignored);
  }

 private:
  static PathNames all_moves(const Json& record, const RerunRequest& request) {
    Places moves = request.moved;
    if (!request.directory.empty()) {
      moves.emplace_back(text_at(record, "directory"), request.directory);
    }
    const char* home = std::getenv("HOME");
    if (home != nullptr) moves.emplace_back(text_at(record, "home"), home);
    return PathNames(std::move(moves));
  }

  void option(const std::string& name, const std::string& value) {
    words_.push_back("--" + name + (value.empty() ? "" : "=" + value));
  }
  std::string new_record() const { return room_ + "/record.json"; }
  // A path of the recorded run, where it is now.
  std::string whole(const std::string& path) const {
    return path.starts_with('/') ? moved_.of(path) : directory_ + "/" + path;
  }

  Status make_room() {
    const char* temporary = std::getenv("TMPDIR");
    std::string name =
        std::string(temporary != nullptr ? temporary : "/tmp") + "/rootlet-rerun-XXXXXX";
    std::error_code failed;
    if (request_.into.empty()) {
      if (::mkdtemp(name.data()) == nullptr) return last_error(kRerun, name);
      room_ = name;
    } else {
      fs::create_directories(request_.into, failed);
      room_ = fs::absolute(request_.into, failed);
      if (failed || !fs::is_empty(room_, failed)) {
        return plain_error(kRerun, request_.into, "it is not an empty directory");
      }
    }
    fs::create_directories(work(), failed);
    if (failed) return plain_error(kRerun, work(), failed.message());
    return Done{};
  }
  std::string work() const { return room_ + "/work"; }

  Status add_options() {
    std::vector<std::string> shown;  // inputs below the directory, which the new one lacks
    for (const Json& given : list_at(record_, "options")) {
      const std::string name = text_at(given, "name"), from = text_at(given, "from");
      const std::string value = text_at(given, "value");
      // What files of settings and policies say they say again.
      if (from == "site file" || from == "user file" || from == "policy") continue;
      if (name == "record" || name == "record-output" || name == "exec" || name == "image" ||
          name == "status" || name == "status-fd" || name == "pass-fd" || name == "release") {
        continue;
      }
      if (given.contains("hidden")) {
        TRY(add_secret(value.substr(0, value.find('='))));
        continue;
      }
      if (name == "output" && !request_.in_place) {
        add_output_directory(value);
        continue;
      }
      if (name == "record-input" || name == "input") shown.push_back(value);
      option(name, moved_.of(value));
    }
    for (const Json& file : list_at(record_, "found_inputs")) {
      shown.push_back(text_at(file, "path"));
      option("record-input", moved_.of(shown.back()));
    }
    if (!request_.in_place && !isolated_) {
      option("bind", escaped(work()) + ":" + escaped(directory_) + ":rw");
      places_.emplace_back(work(), ".");
      for (const std::string& path : shown) TRY(show_input(path));
      for (const std::string& argument : texts_at(record_, "arguments")) {
        const std::size_t equals = argument.find('=');
        TRY(show_argument(argument));
        if (equals != std::string::npos) TRY(show_argument(argument.substr(equals + 1)));
      }
    }
    return add_outputs();
  }

  // In the old run's own directory, that of the new one lies over it.
  Status show_input(const std::string& path) {
    const std::string from = whole(path);
    std::error_code failed;
    const fs::path below = fs::path(from).lexically_relative(directory_);
    if (below.empty() || *below.begin() == "..") return Done{};
    const fs::path place = fs::path(work()) / below;
    const bool is_directory = fs::is_directory(from, failed);
    fs::create_directories(is_directory ? place : place.parent_path(), failed);
    if (!is_directory && !fs::exists(place)) {
      const os::Fd made(::open(place.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
      if (!made.valid()) return last_error(kRerun, place.string());
    }
    option("bind", escaped(from) + ":" + escaped(from) + ":ro");
    return Done{};
  }

  // What is to be written anew must not be there already, and be taken for the result.
  bool is_output(const fs::path& path) const {
    for (const Json& file : list_at(record_, "outputs")) {
      if (path == whole(text_at(file, "path"))) return true;
    }
    return is_named_output(path);
  }

  bool is_named_output(const fs::path& path) const {
    for (const Json& given : list_at(record_, "options")) {
      const std::string name = text_at(given, "name");
      if (name != "record-output" && name != "output") continue;
      const std::string output =
          fs::path(whole(text_at(given, "value"))).lexically_normal().string();
      if (is_below(path.string(), output) || is_below(output, path.string())) return true;
    }
    return false;
  }

  // A file among the arguments that nobody named as an input. It may as well be what the
  // old run wrote, so the new one has a copy; what is too large for that, and a
  // directory, can only be read.
  Status show_argument(const std::string& text) {
    constexpr std::uintmax_t kMost = std::uintmax_t{1} << 30;  // bytes
    if (text.empty() || text[0] == '-' || text.size() > 4000) return Done{};
    std::error_code failed;
    const fs::path from = fs::path(whole(text)).lexically_normal();
    const fs::path below = from.lexically_relative(directory_);
    if (below.empty() || below == "." || *below.begin() == "..") return Done{};
    const fs::path place = fs::path(work()) / below;
    if (is_output(from)) return Done{};
    if (!fs::exists(from, failed) || fs::exists(place, failed)) return Done{};
    if (!fs::is_regular_file(from, failed)) return show_input(from.string());
    if (fs::file_size(from, failed) > kMost) return show_input(from.string());
    fs::create_directories(place.parent_path(), failed);
    fs::copy_file(from, place, failed);
    if (failed) return plain_error(kRerun, from.string(), failed.message());
    return Done{};
  }

  void add_output_directory(const std::string& path) {
    const std::string fresh = room_ + "/output-" + std::to_string(outputs_.size());
    std::error_code ignored;
    fs::create_directories(fresh, ignored);
    const std::string old = whole(path);
    outputs_.emplace_back(old, fresh);
    option("bind", escaped(fresh) + ":" + escaped(old) + ":rw");
    option("record-output", fresh);
    const fs::path below = fs::path(old).lexically_relative(directory_);
    const bool inside = !below.empty() && *below.begin() != "..";
    places_.emplace_back(fresh, inside ? below.string() : path);
  }

  // Those that are no directories of their own.
  Status add_outputs() {
    for (const Json& given : list_at(record_, "options")) {
      if (text_at(given, "name") == "record-output") {
        TRY(add_output(whole(text_at(given, "value"))));
      }
    }
    for (const Json& file : list_at(record_, "outputs")) {  // found by a watcher
      const std::string path = whole(text_at(file, "path"));
      if (!is_named_output(fs::path(path).lexically_normal())) TRY(add_output(path));
    }
    return Done{};
  }

  Status add_output(const std::string& path) {
    const fs::path below = fs::path(path).lexically_relative(directory_);
    const bool inside = !below.empty() && *below.begin() != "..";
    if (request_.in_place) {
      option("record-output", path);
    } else if (inside && !isolated_) {
      option("record-output", (fs::path(work()) / below).lexically_normal());
    } else {
      return plain_error(kRerun, path, "this output lies outside of the run's directory",
                         "--in-place writes it again where it is");
    }
    return Done{};
  }

  Status add_secret(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return plain_error(kRerun, name, "the record does not tell this variable's value",
                         "set it: export " + name + "=...");
    }
    option("env", name + "=" + value);
    return Done{};
  }

  int become(std::vector<std::string>& words) const {
    if (::chdir(directory_.c_str()) != 0) {
      print_error(last_error(kRerun, directory_, "--directory names another one"));
      return 125;
    }
    for (const auto& [name, value] : object_at(record_, "environment").items()) {
      if (value.is_string() && name != "PATH") {
        ::setenv(name.c_str(), value.get<std::string>().c_str(), 1);
      }
    }
    const std::string in = text_at(object_at(record_, "stdin"), "path");
    const os::Fd input(::open(in.empty() ? "/dev/null" : whole(in).c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.valid()) {
      print_error(last_error(kRerun, whole(in)));
      return 125;
    }
    ::dup2(input.get(), STDIN_FILENO);
    if (record_.contains("stdout")) {
      const os::Fd output(::open((room_ + "/stdout").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
      ::dup2(output.get(), STDOUT_FILENO);
    } else {
      ::dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    return 125;
  }

  const Json& record_;
  const RerunRequest& request_;
  PathNames moved_;
  std::string directory_, room_;
  bool isolated_ = false;
  std::vector<std::string> words_;
  Places outputs_, places_;
};

}  // namespace

Result<Rerun> rerun(const Record& record, const RerunRequest& request) {
  Repetition repetition(record.json, request);
  auto prepared = repetition.prepare();
  auto made = prepared.ok() ? repetition.run() : Result<Rerun>(std::move(prepared).error());
  repetition.clean_up();
  return made;
}

}  // namespace rootlet::records
