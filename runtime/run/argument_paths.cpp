// SPDX-License-Identifier: MIT
#include "runtime/run/argument_paths.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

// What every root brings itself: a path there means the image's.
constexpr std::array kOfEveryRoot = {"/usr", "/bin",  "/sbin", "/lib", "/lib64",
                                     "/etc", "/proc", "/sys",  "/dev", "/run"};

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool worth_showing(const std::string& path) {
  return path.size() > 1 && std::none_of(kOfEveryRoot.begin(), kOfEveryRoot.end(),
                                         [&](const char* top) { return is_below(path, top); });
}

// Calls `see` with each text that may be a path, absolute, and as it was given.
template <typename See>
void each_candidate(const std::vector<std::string>& arguments, const Caller& caller, See see) {
  const std::size_t count = std::min<std::size_t>(arguments.size(), 256);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& argument = arguments[i];
    const std::size_t equals = argument.find('=');
    for (const std::size_t from : {std::size_t{0}, equals == std::string::npos ? 0 : equals + 1}) {
      const std::string text = argument.substr(from);
      if (text.empty() || text.size() > 4000 || text[0] == '-') continue;
      const std::string path = without_slash(absolute(text, caller));
      if (path[0] == '/' && worth_showing(path)) see(path, text);
    }
  }
}

// A script or a sentence is no name of a file to come.
bool may_be_new_file(const std::string& text) {
  return text[0] == '/' || text.find_first_of(" \t\n;|<>") == std::string::npos;
}

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

// As a shell takes it.
std::string quoted(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:@,+%";
  if (text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace

bool shows(const std::vector<sandbox::Place>& places, const std::string& path) {
  return std::any_of(places.begin(), places.end(), [&](const sandbox::Place& place) {
    return place.kind == sandbox::Place::Kind::bind && is_below(path, place.target);
  });
}

std::vector<std::string> directories_of_arguments(const std::vector<std::string>& arguments,
                                                  const Caller& caller) {
  std::vector<std::string> directories;
  each_candidate(arguments, caller, [&](const std::string& path, const std::string&) {
    if (!exists(path)) return;
    for (const std::string& name : {path, real_path(path)}) {
      const std::string directory = is_directory(name) ? name : directory_of(name);
      if (worth_showing(directory)) add_once(directories, directory);
    }
  });
  return directories;
}

std::string invisible_arguments(const Subject& subject, const Caller& caller,
                                const sandbox::Plan& plan) {
  if (plan.root == sandbox::RootKind::host) return {};
  std::string first;
  std::vector<std::string> options;
  each_candidate(subject.arguments, caller, [&](const std::string& path, const std::string& text) {
    if (shows(plan.places, path) || subject.has_file(path.substr(1))) return;
    const std::string around = directory_of(path);
    if (exists(path)) {
      add_once(options, option_text("input") + "=" + path);
    } else if (subject.has_entry && subject.has_entry(path.substr(1))) {
      return;  // the image's, and nothing of the host's
    } else if (may_be_new_file(text) && worth_showing(around) && is_directory(around)) {
      add_once(options, option_text("output") + "=" + around);
    } else {
      return;
    }
    if (first.empty()) first = path;
  });
  if (first.empty()) return {};
  const bool packed = option_text("") != "--";
  std::string command = packed ? quoted(caller.argv0) : "rootlet run";
  for (const std::string& option : options) command += " " + quoted(option);
  if (!packed) command += " " + quoted(caller.argv0);
  return first + (options.size() > 1 ? " and other arguments" : "") +
         " will not be found inside; to show it: " + command + " ...";
}

}  // namespace rootlet
