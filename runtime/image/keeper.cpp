// SPDX-License-Identifier: MIT
#include "runtime/image/keeper.hpp"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "runtime/image/confine.hpp"
#include "runtime/image/mount.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/tally.hpp"
#include "runtime/os/parent.hpp"
#include "runtime/os/peer.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/socket.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kStart = "start the shared image server";
constexpr std::string_view kJoin = "join the shared image server";
// The first byte of what a keeper says first: the key follows, or why not.
constexpr char kReady = '+';

volatile sig_atomic_t told_to_end = 0;

// What a keeper has while it is on its way to be one.
struct Keeper {
  os::Fd first;  // to the run that starts it
  Offer offer;
  pid_t reader = -1;
  os::Fd reader_pidfd;
  os::Fd channel;  // to the reader, from now on
  os::Fd life;     // ends with the reader, given to each run
  os::Fd tally;    // of the reader, the same
  os::Fd mount;    // where the image is mounted
  os::Fd proc;
  os::Standing wanted;  // of its runs
  ino_t socket_number = 0;
  os::Fd outside;  // in which the directories below were made for servers of one parent
  std::string directory, around;
};

// --- on the way --------------------------------------------------------------

[[noreturn]] void become_reader(Keeper& keeper, os::Fd channel, os::Fd life, Squashfs& image,
                                Owner owner, pid_t parent, const os::OneProcessor& beside) {
  ::prctl(PR_SET_NAME, "rootlet-reader");
  count_into(keeper.tally);
  constexpr int kWaiting = 4096;  // runs; the kernel's net.core.somaxconn may be less
  const bool listens = ::listen(keeper.offer.socket.get(), kWaiting) == 0;
  (void)os::send_message(channel.get(), listens ? "l" : "", {}, kStart);
  os::close_all_but({0, 1, 2, image.raw()->fd, channel.get(), lift(life.release())});
  serve(image, owner, channel.get(), parent, beside);
}

// Before any namespace: the reader stands where the runs do.
Status start_reader(Keeper& keeper, Squashfs& image, Owner owner, const os::OneProcessor& beside) {
  auto [ours, theirs] = TRY(os::socket_pair(kStart));
  auto [end, life] = TRY(os::socket_pair(kStart));
  const pid_t self = ::getpid();
  keeper.tally = make_tally();
  if (!keeper.tally.valid()) return last_error(kStart, "its tally");
  os::Child child = TRY(os::fork_with(0, kStart));
  if (child.pid == 0) {
    become_reader(keeper, std::move(theirs), std::move(life), image, owner, self, beside);
  }
  keeper.reader = child.pid;
  keeper.reader_pidfd = std::move(child.pidfd);
  keeper.channel = std::move(ours);
  keeper.life = std::move(end);
  return Done{};
}

// A user namespace in which the caller is himself, and a mount namespace.
Status enter_namespaces(Owner owner) {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return last_error(kStart, "namespaces");
  const auto map = [](unsigned id) {
    return std::to_string(id) + " " + std::to_string(id) + " 1\n";
  };
  // The files of an undumpable process are root's.
  ::prctl(PR_SET_DUMPABLE, 1);
  TRY(os::write_file("/proc/self/setgroups", "deny", kStart));
  TRY(os::write_file("/proc/self/uid_map", map(owner.uid), kStart));
  TRY(os::write_file("/proc/self/gid_map", map(owner.gid), kStart));
  ::prctl(PR_SET_DUMPABLE, 0);
  return Done{};
}

// An empty root, and the image mounted over it: nothing of the host is in
// sight any more, but for the processes.
Status enter_empty_root(Keeper& keeper, Owner owner) {
  keeper.proc = TRY(os::open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  const os::Fd fuse = TRY(open_fuse());
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
  if (::mount("rootlet", "/", "tmpfs", kFlags, "mode=500,size=4k,nr_inodes=2") != 0 ||
      ::chdir("/..") != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return last_error(kStart, "its empty root");
  }
  TRY(mount_fuse(fuse.get(), "/", owner));
  TRY(hand_over(keeper.channel.get(), fuse.get()));
  keeper.mount = TRY(os::open_at(AT_FDCWD, "/..", O_PATH | O_DIRECTORY));
  return Done{};
}

// Other runs may come as soon as the reader listens; who starts a server
// otherwise waits for the lock.
Status open_the_door(Keeper& keeper) {
  const os::Message message = TRY(os::receive_message(keeper.channel.get(), 0, kStart));
  if (message.text != "l") return plain_error(kStart, keeper.offer.name, "it cannot listen");
  ::flock(keeper.offer.rendezvous.get(), LOCK_UN);
  return Done{};
}

// How its name is known again at the end.
Status know_the_socket(Keeper& keeper) {
  struct stat status {};
  if (::fstatat(keeper.offer.rendezvous.get(), keeper.offer.name.c_str(), &status,
                AT_SYMLINK_NOFOLLOW) != 0) {
    return last_error(kStart, keeper.offer.name);
  }
  keeper.socket_number = status.st_ino;
  return Done{};
}

// What the first run made for servers of its parent alone goes with the last of these.
Status know_the_directories(Keeper& keeper) {
  char text[4096];
  const ssize_t length =
      ::readlink(os::fd_path(keeper.offer.rendezvous.get()).c_str(), text, sizeof text);
  const std::string path(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::size_t last = path.rfind('/'), before = path.rfind('/', last - 1);
  if (!os::Parent::of_this_process().owns(path.substr(0, last))) return Done{};
  keeper.directory = path.substr(before + 1);
  keeper.around = path.substr(before + 1, last - before - 1);
  keeper.outside = TRY(os::open_at(keeper.offer.rendezvous.get(), "../..", O_PATH | O_DIRECTORY));
  return Done{};
}

Status get_ready(Keeper& keeper, Squashfs& image, Owner owner, const os::OneProcessor& beside) {
  // An own open file, and so an own lock: the other one is shared with the launcher.
  os::Fd own = TRY(os::open_at(keeper.offer.rendezvous.get(), ".", O_RDONLY | O_DIRECTORY));
  TRY(know_the_directories(keeper));
  TRY(start_reader(keeper, image, owner, beside));
  ::close(image.raw()->fd);
  keeper.wanted = {owner.uid, owner.gid, ""};
  TRY(enter_namespaces(owner));
  TRY(open_the_door(keeper));
  keeper.offer.rendezvous = std::move(own);
  TRY(enter_empty_root(keeper, owner));
  // As it is seen from here: the numbers of an outer namespace are told in
  // those of the one who reads.
  keeper.wanted.uid_map = TRY(os::uid_map_of(keeper.proc.get(), keeper.reader));
  TRY(know_the_socket(keeper));
  // SIGTERM ends a keeper that has no runs; those of a job are told to end
  // together with it, and may take their time.
  struct sigaction action {};
  action.sa_handler = [](int) { told_to_end = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  return confine_keeper(keeper.proc.get(), keeper.offer.rendezvous.get(), keeper.outside.get());
}

// --- at work -----------------------------------------------------------------

// A clone of the mount, what ends with the reader, and its tally. A run that does not
// take it is its own loss: nobody waits for it here.
Status welcome(const Keeper& keeper, int run) {
  const os::Fd clone(static_cast<int>(::syscall(
      SYS_open_tree, keeper.mount.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!clone.valid()) return last_error(kStart, "clone the mount");
  const std::string text = kReady + std::to_string(keeper.reader) + " " + keeper.offer.key;
  return os::send_message(run, text, {clone.get(), keeper.life.get(), keeper.tally.get()}, kStart);
}

class Work {
 public:
  explicit Work(Keeper keeper) : keeper_(std::move(keeper)) {
    runs_.push_back(std::move(keeper_.first));
    ::sigfillset(&open_to_end_);
    ::sigdelset(&open_to_end_, SIGTERM);
  }

  [[noreturn]] void go_on() {
    int idle = 0;  // seconds
    while (true) {
      if (!runs_.empty()) idle = 0;
      if (runs_.empty() && told_to_end) leave();
      std::vector<pollfd> events = watched();
      constexpr timespec kSecond{1, 0};
      const int count =
          ::ppoll(events.data(), events.size(), runs_.empty() ? &kSecond : nullptr, &open_to_end_);
      if (count == 0 && (++idle >= keeper_.offer.keep_seconds || !has_its_name())) leave();
      if (count <= 0) continue;
      if (events[2].revents != 0) leave();  // and its runs do, who have the same parent
      if (events[1].revents != 0) pass_last_words();
      drop_ended(events);
      if (events[0].revents != 0) take_one();
    }
  }

 private:
  // Descriptors are not ours to use up; who does not get in has a server of its own.
  static constexpr std::size_t kMost = 500;

  std::vector<pollfd> watched() const {
    const int door = runs_.size() < kMost ? keeper_.offer.socket.get() : -1;
    std::vector<pollfd> events = {{door, POLLIN, 0},
                                  {keeper_.channel.get(), POLLIN, 0},
                                  {os::Parent::of_this_process().descriptor(), POLLIN, 0}};
    // A run has nothing to say: its end is all that is waited for.
    for (const os::Fd& run : runs_) events.push_back({run.get(), POLLIN, 0});
    return events;
  }

  void drop_ended(const std::vector<pollfd>& events) {
    for (std::size_t i = runs_.size(); i-- > 0;) {
      if (events[i + 3].revents != 0) runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void take_one() {
    os::Fd run(::accept4(keeper_.offer.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!run.valid()) return;
    if (!os::check_peer(run.get(), keeper_.proc.get(), keeper_.wanted).ok()) return;
    if (welcome(keeper_, run.get()).ok()) runs_.push_back(std::move(run));
  }

  // The reader ended, or gives up: its runs are told, and then are gone; the
  // reader waits for that, so that no tool sees an error before it is stopped.
  [[noreturn]] void pass_last_words() {
    char text[256];
    const ssize_t got = ::recv(keeper_.channel.get(), text, sizeof text, 0);
    for (const os::Fd& run : runs_) {
      if (got > 0) (void)::send(run.get(), text, static_cast<std::size_t>(got), MSG_NOSIGNAL);
    }
    constexpr timespec kMoment{2, 0};
    keeper_.offer.socket.reset();
    while (got > 0 && !runs_.empty()) {
      std::vector<pollfd> events = {{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}};
      for (const os::Fd& run : runs_) events.push_back({run.get(), POLLIN, 0});
      if (::ppoll(events.data(), events.size(), &kMoment, nullptr) <= 0) break;
      drop_ended(events);
    }
    leave();
  }

  // With its socket, unless another server has taken the name meanwhile. The
  // lock is tried for a while: who holds it may have been stopped.
  [[noreturn]] void leave() {
    const int directory = keeper_.offer.rendezvous.get();
    const char* name = keeper_.offer.name.c_str();
    constexpr timespec kBreath{0, 10'000'000};
    keeper_.offer.socket.reset();  // who waits at it may be the one who holds the lock
    bool locked = os::Parent::of_this_process().has_ended();  // then nobody else takes the name
    for (int tries = 0; tries < 100 && !locked; ++tries) {
      locked = ::flock(directory, LOCK_EX | LOCK_NB) == 0;
      if (!locked) ::ppoll(nullptr, 0, &kBreath, nullptr);
    }
    if (locked && has_its_name()) ::unlinkat(directory, name, 0);
    if (keeper_.outside.valid() && os::Parent::of_this_process().has_ended()) {
      ::unlinkat(keeper_.outside.get(), keeper_.directory.c_str(), AT_REMOVEDIR);
      ::unlinkat(keeper_.outside.get(), keeper_.around.c_str(), AT_REMOVEDIR);
    }
    ::_exit(0);
  }

  // Without it no run finds this server.
  bool has_its_name() const {
    struct stat status {};
    return ::fstatat(keeper_.offer.rendezvous.get(), keeper_.offer.name.c_str(), &status,
                     AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_ino == keeper_.socket_number;
  }

  Keeper keeper_;
  std::vector<os::Fd> runs_;
  sigset_t open_to_end_{};
};

[[noreturn]] void keep(Keeper keeper, Squashfs& image, Owner owner,
                       const os::OneProcessor& beside) {
  let_go("rootlet-keeper",
         {image.raw()->fd, keeper.first.get(), keeper.offer.socket.get(),
          keeper.offer.rendezvous.get(), os::Parent::of_this_process().descriptor()});
  auto ready = get_ready(keeper, image, owner, beside);
  if (ready.ok()) ready = welcome(keeper, keeper.first.get());
  if (!ready.ok()) {
    (void)os::send_message(keeper.first.get(), ready.error().message(), {}, kStart);
    ::_exit(1);
  }
  Work work(std::move(keeper));
  work.go_on();
}

}  // namespace

Result<Server> start_shared_server(Squashfs& image, Owner owner, Offer offer,
                                   const os::OneProcessor& beside) {
  auto [ours, theirs] = TRY(os::socket_pair(kStart));
  const std::string key = offer.key;
  os::Child child = TRY(os::fork_with(0, kStart));
  if (child.pid == 0) {
    Keeper keeper;
    keeper.first = std::move(theirs);
    keeper.offer = std::move(offer);
    keep(std::move(keeper), image, owner, beside);
  }
  theirs.reset();
  return join_server(std::move(ours), key);
}

Result<Server> join_server(os::Fd channel, const std::string& key) {
  os::Message message = TRY(os::receive_message(channel.get(), 3, kJoin));
  if (message.ended) return plain_error(kJoin, "", "it has just ended");
  if (message.text.empty() || message.text[0] != kReady) {
    return plain_error(kStart, "", message.text, "mount=private does without");
  }
  char* end = nullptr;
  Server server;
  server.reader = static_cast<pid_t>(std::strtol(message.text.c_str() + 1, &end, 10));
  if (server.reader <= 0 || *end != ' ' || key != end + 1 || message.descriptors.size() != 3) {
    return plain_error(kJoin, "", "it is a server of another image");
  }
  server.pidfd = os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, server.reader, 0)));
  if (!server.pidfd.valid()) return last_error(kJoin);
  server.channel = std::move(channel);
  server.mount = std::move(message.descriptors[0]);
  server.life = std::move(message.descriptors[1]);
  server.tally = std::move(message.descriptors[2]);
  return server;
}

}  // namespace rootlet::image
