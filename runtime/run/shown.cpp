// SPDX-License-Identifier: MIT
#include "runtime/run/shown.hpp"

#include <linux/sched.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include <csignal>

#include "runtime/base/log.hpp"
#include "runtime/image/mount.hpp"
#include "runtime/os/capabilities.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/socket.hpp"
#include "runtime/run/extracted.hpp"
#include "runtime/run/supervise.hpp"
#include "runtime/sandbox/user_namespace.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kShow = "show the image";
constexpr std::string_view kReady = "ready";  // what a holder says first; else why not

// The image becomes the root of this process: pivot_root(2) with both roots on
// one directory, as for a run (sandbox/root.cpp).
Status enter_image(const image::Reached& reached, image::Owner owner) {
  TRY(sandbox::write_own_maps(sandbox::own_ids(owner.uid, owner.gid)));
  TRY(image::mount_image(reached, "/", owner));
  const os::Fd top = TRY(os::open_at(AT_FDCWD, "/..", O_PATH | O_DIRECTORY));
  if (::fchdir(top.get()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return last_error(kShow);
  }
  return os::keep_capabilities(0);
}

// The holder: says how it went, and stays until the launcher ends.
[[noreturn]] void hold(const image::Reached& reached, image::Owner owner, int launcher) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "rootlet-holder");
  const auto entered = enter_image(reached, owner);
  (void)os::send_message(launcher, entered.ok() ? std::string(kReady) : entered.error().message(),
                         {}, kShow);
  os::close_all_but({launcher});
  (void)os::receive_message(launcher, 0, kShow);  // its end
  ::_exit(0);
}

// Until a signal that would end a program, or the end of one of `watched`.
// Returns the signal, or 0.
int wait_for_signal(std::vector<pollfd> watched) {
  sigset_t all;
  ::sigfillset(&all);
  const os::Fd signals(::signalfd(-1, &all, SFD_CLOEXEC));
  watched.push_back({signals.get(), POLLIN, 0});
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    for (std::size_t i = 0; i + 1 < watched.size(); ++i) {
      if (watched[i].revents != 0) return 0;
    }
    signalfd_siginfo info{};
    if (::read(signals.get(), &info, sizeof info) != sizeof info) continue;
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT) {
      return number;
    }
  }
}

Status print_directory(const std::string& directory) {
  return os::write_all(STDOUT_FILENO, directory + "\n", "print");
}

Result<int> show_unpacked(Source& source) {
  const PrivateDirectory unpacked = TRY(extract_to_directory(source, Log(false)));
  TRY(print_directory(unpacked.path() + "/root"));
  return wait_for_signal({});
}

}  // namespace

Result<int> show_image(Source& source, const Caller& caller) {
  (void)block_signals();
  if (!image::have_fuse()) return show_unpacked(source);
  const image::Owner owner{caller.uid, caller.gid};
  const os::OneProcessor beside;
  image::Server server = TRY(image::start_server(*source.image, owner, beside));
  auto [ours, theirs] = TRY(os::socket_pair(kShow));
  auto holder = os::fork_with(CLONE_NEWUSER | CLONE_NEWNS, kShow);
  if (!holder.ok()) {
    server.channel.reset();
    os::wait_for(server.reader);
    return sandbox::explain_namespace_failure(holder.error().code);
  }
  if (holder.value().pid == 0) {
    image::Reached reached;
    reached.name = source.file;
    reached.server = server.channel.get();
    hold(reached, owner, theirs.get());
  }
  theirs.reset();
  const auto finish = [&] {
    ::kill(holder.value().pid, SIGKILL);
    os::wait_for(holder.value().pid);
    ::kill(server.reader, SIGKILL);
    os::wait_for(server.reader);
  };
  const auto word = os::receive_message(ours.get(), 0, kShow);
  if (!word.ok() || word.value().text != kReady) {
    finish();
    const bool said = word.ok() && !word.value().ended;
    return plain_error(kShow, source.file, said ? word.value().text : "its holder was killed");
  }
  auto printed = print_directory("/proc/" + std::to_string(holder.value().pid) + "/root");
  if (printed.ok()) {
    Log::note(std::string("only processes of this user can look into it; other users") +
              (caller.uid != 0 ? ", root among them," : "") + " cannot");
  }
  const int signal = printed.ok() ? wait_for_signal({{holder.value().pidfd.get(), POLLIN, 0},
                                                     {server.pidfd.get(), POLLIN, 0}})
                                  : SIGPIPE;
  finish();
  if (signal == 0) return plain_error(kShow, source.file, "its holder or its server was killed");
  return signal;
}

}  // namespace rootlet
