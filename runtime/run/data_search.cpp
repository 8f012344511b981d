// SPDX-License-Identifier: MIT
#include "runtime/run/data_search.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "runtime/os/clock.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/socket.hpp"
#include "runtime/payload/seal.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kFind = "find the data";
constexpr const char* kBelow = "/rootlet/data";
constexpr int kPatience = 5000;  // ms, for all directories together
constexpr int kGrace = 300;      // ms, for those before one that has it
// What a directory's process says is at most a message (os/socket.hpp).
constexpr std::size_t kMostWords = 3500;

void add_once(std::vector<std::string>& to, const std::string& place) {
  if (place.empty() || std::find(to.begin(), to.end(), place) != to.end()) return;
  to.push_back(place);
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// The names under which a directory may hold it. What an image says is no
// reason to leave the directory.
std::vector<std::string> names_of(const Policy::Data& data) {
  constexpr std::string_view kPrefix = "sha256:";
  std::vector<std::string> names;
  if (data.digest.starts_with(kPrefix) && data.digest.find('/') == std::string::npos) {
    const std::string hex = data.digest.substr(kPrefix.size());
    names.push_back("sha256/" + hex.substr(0, 2) + "/" + hex);
  }
  if (data.name.find('/') != std::string::npos) return names;
  for (const char* suffix : {".sqfs", ".AppImage", ""}) names.push_back(data.name + suffix);
  return names;
}

// Why a file is not the one; empty: it is.
std::string trouble_of(int fd, const std::string& file, const Policy::Data& data) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return "it is no regular file";
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (data.size != 0 && size != data.size) {
    return "it has " + std::to_string(size) + " bytes, not " + std::to_string(data.size);
  }
  const auto payload = find_payload_in({fd, 0, size}, file);
  if (!payload.ok()) return payload.error().reason;
  const auto seal = read_seal(payload.value(), file);
  if (!seal.ok()) return seal.error().reason;
  if (!seal.value()) return "it has no seal (rootlet data add makes one)";
  const std::string digest = seal_text(seal.value()->digest);
  return digest == data.digest ? "" : "its digest is " + digest;
}

// In a process of its own: a directory of a server that is gone may keep
// whoever looks into it, and that shall not be the launcher.
[[noreturn]] void look_into(const std::string& directory, const Policy::Data& data, int answer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string words;
  for (const std::string& name : names_of(data)) {
    const std::string file = directory + "/" + name;
    const os::Fd fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) continue;
    const std::string trouble = fd.valid() ? trouble_of(fd.get(), file, data) : errno_name(errno);
    if (trouble.empty()) {
      (void)os::send_message(answer, "+" + file, {fd.get()}, kFind);
      ::_exit(0);
    }
    words += "\n" + file + ": " + trouble;
  }
  words.resize(std::min(words.size(), kMostWords));
  (void)os::send_message(answer, "-" + words, {}, kFind);
  ::_exit(0);
}

// All directories at once.
class Lookers {
 public:
  Status start(const Policy::Data& data, const std::vector<std::string>& places) {
    for (const std::string& place : places) {
      auto [ours, theirs] = TRY(os::socket_pair(kFind));
      os::Child child = TRY(os::fork_with(0, kFind));
      if (child.pid == 0) {
        os::close_all_but({0, 1, 2, theirs.get()});
        look_into(place, data, theirs.get());
      }
      lookers_.push_back({child.pid, std::move(ours), {place, {}, false}, {}, {}});
    }
    return Done{};
  }

  // The first in order that has it; who comes before one that does, and has
  // not answered yet, is waited for only a moment.
  DataSearch wait() {
    const std::uint64_t begin = os::monotonic_time();
    std::uint64_t end = begin + kPatience;
    while (!decided()) {
      const std::uint64_t now = os::monotonic_time();
      if (now >= end) break;
      if (found() != nullptr) end = std::min(end, now + kGrace);
      hear(static_cast<int>(end - now));
    }
    DataSearch search;
    for (Looker& looker : lookers_) {
      if (looker.fd.valid() && !search.fd.valid()) {
        search.fd = std::move(looker.fd);
        search.file = looker.file;
      }
      search.places.push_back(std::move(looker.place));
    }
    return search;
  }

  ~Lookers() {
    for (const Looker& looker : lookers_) ::kill(looker.pid, SIGKILL);
    // One that the kernel does not let go of (a hard NFS mount) is left to it.
    for (const Looker& looker : lookers_) {
      const std::uint64_t end = os::monotonic_time() + 1000;
      constexpr timespec kBreath{0, 1'000'000};
      while (::waitpid(looker.pid, nullptr, WNOHANG) == 0 && os::monotonic_time() < end) {
        ::nanosleep(&kBreath, nullptr);
      }
    }
  }

 private:
  struct Looker {
    pid_t pid;
    os::Fd answer;
    DataPlace place;
    os::Fd fd;
    std::string file;
  };

  const Looker* found() const {
    const auto has = [](const Looker& looker) { return looker.fd.valid(); };
    const auto first = std::find_if(lookers_.begin(), lookers_.end(), has);
    return first == lookers_.end() ? nullptr : &*first;
  }
  bool decided() const {
    for (const Looker& looker : lookers_) {
      if (looker.fd.valid()) return true;
      if (!looker.place.answered) return false;
    }
    return true;
  }

  void hear(int moment) {
    std::vector<pollfd> events;
    for (const Looker& looker : lookers_) {
      events.push_back({looker.place.answered ? -1 : looker.answer.get(), POLLIN, 0});
    }
    if (::poll(events.data(), events.size(), moment) <= 0) return;
    for (std::size_t i = 0; i < lookers_.size(); ++i) {
      if (events[i].revents != 0) take(lookers_[i]);
    }
  }

  static void take(Looker& looker) {
    looker.place.answered = true;
    auto message = os::receive_message(looker.answer.get(), 1, kFind);
    if (!message.ok() || message.value().text.empty()) return;
    const std::string& text = message.value().text;
    if (text[0] == '+' && !message.value().descriptors.empty()) {
      looker.fd = std::move(message.value().descriptors[0]);
      looker.file = text.substr(1);
    }
    for (std::size_t at = text.find('\n'); at != std::string::npos;) {
      const std::size_t end = text.find('\n', at + 1);
      looker.place.refused.push_back(text.substr(at + 1, end - at - 1));
      at = end;
    }
  }

  std::vector<Looker> lookers_;
};

}  // namespace

std::string data_store(const Caller& caller) {
  const std::string given = caller.variable("XDG_DATA_HOME");
  if (!given.empty() && given[0] == '/') return given + kBelow;
  return caller.home.empty() ? "" : caller.home + "/.local/share" + kBelow;
}

std::vector<std::string> data_places(const std::vector<std::string>& given, const Caller& caller,
                                     const std::string& image_file) {
  std::vector<std::string> places;
  for (const std::string& place : given) add_once(places, place);
  if (!image_file.empty()) add_once(places, directory_of(image_file));
  add_once(places, data_store(caller));
  std::string site = caller.variable("XDG_DATA_DIRS");
  if (site.empty()) site = "/usr/local/share:/usr/share";  // XDG Base Directory 0.8
  for (const std::string& place : split(site)) {
    if (place[0] == '/') add_once(places, place + kBelow);
  }
  return places;
}

std::string DataSearch::text() const {
  std::string text;
  for (const DataPlace& place : places) {
    if (!text.empty()) text += "; ";
    if (!place.answered) {
      text += place.directory + ": does not answer";
    } else if (place.refused.empty()) {
      text += place.directory + ": not there";
    }
    for (const std::string& line : place.refused) {
      text += (&line == &place.refused.front() ? "" : "; ") + line;
    }
  }
  return text;
}

Result<DataSearch> find_data(const Policy::Data& data, const std::vector<std::string>& places) {
  Lookers lookers;
  TRY(lookers.start(data, places));
  return lookers.wait();
}

}  // namespace rootlet
