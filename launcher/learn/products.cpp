// SPDX-License-Identifier: MIT
#include "launcher/learn/products.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>

#include "runtime/base/json_text.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::learn {
namespace {

constexpr std::uint64_t kMebi = 1u << 20;

bool fits_a_line(const std::string& path) { return path.find('\n') == std::string::npos; }

bool came_off(const Tally& tally) { return tally.count > tally.failed(); }

// Twice what was seen, for other inputs need more, to the next power of two.
std::uint64_t with_room(std::uint64_t seen, std::uint64_t least) {
  std::uint64_t limit = least;
  while (limit < 2 * seen) limit *= 2;
  return limit;
}

// Beyond the loopback interface.
bool leaves_the_host(const NetworkUse& use) {
  if (!use.family.starts_with("inet") || use.direction == "bind") return false;
  return !use.address.starts_with("127.") && use.address != "::1";
}

class Proposal {
 public:
  explicit Proposal(const Recording& recording) : recording_(recording) {}

  std::string text() {
    text_ = "# Proposed by rootlet learn from the run of " + recording_.date + ".\n[isolation]\n";
    profile();
    network();
    line("ipc", "\"private\"");
    writable();
    line("pids",
         std::to_string(with_room(static_cast<std::uint64_t>(recording_.most_processes) + 8, 32)));
    if (recording_.most_memory > 0) {
      remark("the largest process had " + std::to_string(recording_.most_memory / kMebi + 1) +
             " MiB; a limit for the whole run could be memory = \"" +
             std::to_string(with_room(recording_.most_memory / kMebi + 1, 64)) + "m\"");
    }
    binds();
    return text_;
  }

 private:
  void line(const std::string& key, const std::string& value) {
    text_ += key + " = " + value + "\n";
  }
  void remark(const std::string& text) { text_ += "# " + text + "\n"; }

  void profile() {
    const bool sysfs = std::any_of(
        recording_.paths.begin(), recording_.paths.end(),
        [](const PathUse& use) { return is_below(use.path, "/sys") && came_off(use.tally); });
    line("profile", sysfs ? "\"contained\"  # it looks into /sys" : "\"isolated\"");
  }

  void network() {
    const bool out =
        std::any_of(recording_.network.begin(), recording_.network.end(), leaves_the_host);
    if (out) {
      remark("it calls other hosts; the caller must give --net=private or --net=host");
    } else {
      line("net", "\"none\"");
    }
  }

  // Where the image refused to be written.
  void writable() {
    std::set<std::string> places;
    for (const PathUse& use : recording_.paths) {
      if (use.where != Where::image || !use.tally.errors.contains(EROFS)) continue;
      places.insert(use.type == 'd' ? use.path : directory_of(use.path));
    }
    std::string list;
    for (const std::string& place : places) {
      if (place != "/") list += (list.empty() ? "" : ", ") + json_string(place);
    }
    if (list.empty()) return;
    remark("it tried to write there; whether it needs to, you know");
    remark("writable = [" + list + "]");
  }

  void binds() {
    for (const Setting::Shown& shown : recording_.setting.binds) {
      bool read = false, written = false;
      for (const PathUse& use : recording_.paths) {
        if (!is_below(use.path, shown.target) || !came_off(use.tally)) continue;
        const bool looks = use.access == Access::read || use.access == Access::list ||
                           use.access == Access::metadata;
        (looks ? read : written) = true;
      }
      const std::string what = json_string(shown.target);
      if (written) {
        remark("the caller shows, to be written: --output=" + what);
      } else if (read) {
        remark("the caller shows, to be read only: --input=" + what);
      } else {
        remark("it was shown and not used: " + what);
      }
    }
  }

  const Recording& recording_;
  std::string text_;
};

}  // namespace

std::string start_trace(const Recording& recording) {
  std::vector<std::pair<double, std::string>> uses;
  for (const PathUse& use : recording.paths) {
    const bool content = use.access == Access::read || use.access == Access::list;
    if (use.where != Where::image || !content || use.type != 'f' || !came_off(use.tally)) continue;
    uses.emplace_back(use.tally.first.seconds, use.path);
  }
  for (const ProgramUse& use : recording.programs) {
    if (use.where != Where::image || !came_off(use.tally)) continue;
    uses.emplace_back(use.tally.first.seconds, use.path);
  }
  std::stable_sort(uses.begin(), uses.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  std::set<std::string> told;
  for (const auto& [seconds, path] : uses) {
    if (fits_a_line(path) && told.insert(path).second) text += path + "\n";
  }
  return text;
}

std::string untouched(const Recording& recording, const std::vector<std::string>& files,
                      const std::string* kept) {
  std::set<std::string> touched, earlier;
  for (const PathUse& use : recording.paths) touched.insert(use.path);
  for (const ProgramUse& use : recording.programs) touched.insert(use.path);
  if (kept != nullptr) {
    std::istringstream lines(*kept);
    for (std::string line; std::getline(lines, line);) earlier.insert(line);
  }
  std::set<std::string> left;
  for (const std::string& file : files) {
    if (!fits_a_line(file) || touched.contains(file) || is_below(file, "/.rootlet")) continue;
    if (kept == nullptr || earlier.contains(file)) left.insert(file);
  }
  std::string text;
  for (const std::string& file : left) text += file + "\n";
  return text;
}

std::string proposed_policy(const Recording& recording) { return Proposal(recording).text(); }

}  // namespace rootlet::learn
