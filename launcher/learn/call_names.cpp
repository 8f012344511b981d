// SPDX-License-Identifier: MIT
#include "launcher/learn/call_names.hpp"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <map>
#include <span>

namespace rootlet::learn {
namespace {

struct Name {
  std::uint64_t number;
  const char* name;
};

#define NAMED(name) \
  { static_cast<std::uint64_t>(name), #name }

constexpr Name kOpenFlags[] = {NAMED(O_CREAT),     NAMED(O_EXCL),    NAMED(O_TRUNC),
                               NAMED(O_APPEND),    NAMED(O_PATH),    NAMED(O_DIRECTORY),
                               NAMED(__O_TMPFILE), NAMED(O_NOFOLLOW)};
constexpr Name kCloneFlags[] = {NAMED(CLONE_VM),     NAMED(CLONE_THREAD),    NAMED(CLONE_VFORK),
                                NAMED(CLONE_PTRACE), NAMED(CLONE_NEWNS),     NAMED(CLONE_NEWUSER),
                                NAMED(CLONE_NEWPID), NAMED(CLONE_NEWNET),    NAMED(CLONE_NEWIPC),
                                NAMED(CLONE_NEWUTS), NAMED(CLONE_NEWCGROUP), NAMED(CLONE_NEWTIME)};
constexpr Name kFamilies[] = {NAMED(AF_UNIX),    NAMED(AF_INET),      NAMED(AF_INET6),
                              NAMED(AF_NETLINK), NAMED(AF_PACKET),    NAMED(AF_ALG),
                              NAMED(AF_VSOCK),   NAMED(AF_BLUETOOTH), NAMED(AF_CAN),
                              NAMED(AF_KEY),     NAMED(AF_XDP),       NAMED(AF_TIPC)};
constexpr Name kTypes[] = {NAMED(SOCK_STREAM),    NAMED(SOCK_DGRAM), NAMED(SOCK_RAW),
                           NAMED(SOCK_SEQPACKET), NAMED(SOCK_RDM),   NAMED(SOCK_PACKET)};
constexpr Name kRequests[] = {NAMED(TCGETS),
                              NAMED(TCSETS),
                              NAMED(TCSETSW),
                              NAMED(TCSETSF),
                              NAMED(TCSBRK),
                              NAMED(TCFLSH),
                              NAMED(TIOCGWINSZ),
                              NAMED(TIOCSWINSZ),
                              NAMED(TIOCGPGRP),
                              NAMED(TIOCSPGRP),
                              NAMED(TIOCGSID),
                              NAMED(TIOCSCTTY),
                              NAMED(TIOCNOTTY),
                              NAMED(TIOCSTI),
                              NAMED(TIOCLINUX),
                              NAMED(TIOCGPTN),
                              NAMED(TIOCSPTLCK),
                              NAMED(TIOCSETD),
                              NAMED(FIONREAD),
                              NAMED(FIONBIO),
                              NAMED(FIOASYNC),
                              NAMED(FIOCLEX),
                              NAMED(FIONCLEX),
                              NAMED(SIOCGIFCONF),
                              NAMED(SIOCGIFFLAGS),
                              NAMED(SIOCGIFADDR),
                              NAMED(SIOCGIFINDEX),
                              NAMED(SIOCGIFNAME),
                              NAMED(SIOCGIFHWADDR),
                              {0x40049409, "FICLONE"},
                              {0x4020940d, "FICLONERANGE"},
                              {0x80086601, "FS_IOC_GETFLAGS"},
                              {0x40086602, "FS_IOC_SETFLAGS"},
                              {0xc020660b, "FS_IOC_FIEMAP"},
                              {0x5441, "TIOCGPTPEER"},
                              {0x2400, "PERF_EVENT_IOC_ENABLE"},
                              {0x80045430, "TIOCGPTN"},
                              {0x541b, "FIONREAD"}};
constexpr Name kControls[] = {NAMED(PR_SET_PDEATHSIG),
                              NAMED(PR_GET_PDEATHSIG),
                              NAMED(PR_GET_DUMPABLE),
                              NAMED(PR_SET_DUMPABLE),
                              NAMED(PR_SET_NAME),
                              NAMED(PR_GET_NAME),
                              NAMED(PR_GET_SECCOMP),
                              NAMED(PR_SET_SECCOMP),
                              NAMED(PR_CAPBSET_READ),
                              NAMED(PR_CAPBSET_DROP),
                              NAMED(PR_GET_KEEPCAPS),
                              NAMED(PR_SET_KEEPCAPS),
                              NAMED(PR_SET_TIMERSLACK),
                              NAMED(PR_GET_TIMERSLACK),
                              NAMED(PR_SET_NO_NEW_PRIVS),
                              NAMED(PR_GET_NO_NEW_PRIVS),
                              NAMED(PR_SET_CHILD_SUBREAPER),
                              NAMED(PR_GET_CHILD_SUBREAPER),
                              NAMED(PR_SET_MM),
                              NAMED(PR_SET_PTRACER),
                              NAMED(PR_SET_THP_DISABLE),
                              NAMED(PR_GET_THP_DISABLE),
                              NAMED(PR_CAP_AMBIENT),
                              NAMED(PR_SET_VMA),
                              NAMED(PR_GET_SECUREBITS),
                              NAMED(PR_SET_SECUREBITS),
                              NAMED(PR_SET_TSC),
                              NAMED(PR_GET_TSC),
                              NAMED(PR_SET_SYSCALL_USER_DISPATCH)};
constexpr Name kArchitecture[] = {NAMED(ARCH_SET_GS),
                                  NAMED(ARCH_SET_FS),
                                  NAMED(ARCH_GET_FS),
                                  NAMED(ARCH_GET_GS),
                                  {0x3001, "ARCH_CET_STATUS"},
                                  {0x5001, "ARCH_SHSTK_ENABLE"},
                                  {0x1011, "ARCH_GET_CPUID"},
                                  {0x1012, "ARCH_SET_CPUID"},
                                  {0x1022, "ARCH_GET_XCOMP_PERM"},
                                  {0x1023, "ARCH_REQ_XCOMP_PERM"}};
constexpr Name kFileControls[] = {NAMED(F_DUPFD),      NAMED(F_GETFD),      NAMED(F_SETFD),
                                  NAMED(F_GETFL),      NAMED(F_SETFL),      NAMED(F_GETLK),
                                  NAMED(F_SETLK),      NAMED(F_SETLKW),     NAMED(F_SETOWN),
                                  NAMED(F_GETOWN),     NAMED(F_SETSIG),     NAMED(F_DUPFD_CLOEXEC),
                                  NAMED(F_SETPIPE_SZ), NAMED(F_GETPIPE_SZ), NAMED(F_ADD_SEALS),
                                  NAMED(F_GET_SEALS),  NAMED(F_OFD_SETLK),  NAMED(F_OFD_SETLKW),
                                  NAMED(F_OFD_GETLK),  NAMED(F_SETLEASE),   NAMED(F_NOTIFY)};
constexpr Name kTraces[] = {
    NAMED(PTRACE_TRACEME),  NAMED(PTRACE_ATTACH),    NAMED(PTRACE_SEIZE),
    NAMED(PTRACE_PEEKTEXT), NAMED(PTRACE_PEEKDATA),  NAMED(PTRACE_POKETEXT),
    NAMED(PTRACE_POKEDATA), NAMED(PTRACE_CONT),      NAMED(PTRACE_SYSCALL),
    NAMED(PTRACE_GETREGS),  NAMED(PTRACE_SETREGS),   NAMED(PTRACE_SETOPTIONS),
    NAMED(PTRACE_DETACH),   NAMED(PTRACE_INTERRUPT), NAMED(PTRACE_KILL)};
constexpr Name kProtection[] = {NAMED(PROT_EXEC)};
constexpr Name kSeccomp[] = {{0, "SECCOMP_SET_MODE_STRICT"},
                             {1, "SECCOMP_SET_MODE_FILTER"},
                             {2, "SECCOMP_GET_ACTION_AVAIL"},
                             {3, "SECCOMP_GET_NOTIF_SIZES"}};

std::string one_of(std::span<const Name> names, std::uint64_t number) {
  for (const Name& name : names) {
    if (name.number == number) return name.name;
  }
  return std::to_string(number);
}

std::string set_of(std::span<const Name> names, std::uint64_t flags) {
  std::string text;
  for (const Name& name : names) {
    if (name.number == 0 || (flags & name.number) != name.number) continue;
    text += (text.empty() ? "" : "|") + std::string(name.name);
  }
  return text;
}

// What of open(2)'s flags decides what can be done with the file.
constexpr std::uint32_t kDecidingOpen = O_ACCMODE | O_CREAT;
constexpr std::uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                      CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;

Argument whole(unsigned index, std::uint64_t argument, std::span<const Name> names) {
  const auto value = static_cast<std::uint32_t>(argument);
  const std::string name = one_of(names, value);
  return {index, 0xffffffff, value, "", name == std::to_string(value) ? "" : name};
}

Argument open_argument(unsigned index, std::uint64_t flags) {
  const auto value = static_cast<std::uint32_t>(flags) & kDecidingOpen;
  return {index, kDecidingOpen, value, "O_ACCMODE|O_CREAT", open_flags_name(value)};
}

Argument protection(unsigned index, std::uint64_t value) {
  const auto low = static_cast<std::uint32_t>(value) & PROT_EXEC;
  return {index, PROT_EXEC, low, "PROT_EXEC", set_of(kProtection, low)};
}

}  // namespace

const std::string& call_name(int number) {
  static std::map<int, std::string> known;
  std::string& name = known[number];
  if (!name.empty()) return name;
  if (char* found = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number)) {
    name = found;
    std::free(found);
  } else {
    name = "syscall_" + std::to_string(number);
  }
  return name;
}

std::vector<Argument> deciding_arguments(const seccomp_data& call) {
  const auto* args = call.args;
  switch (call.nr) {
    case __NR_openat: return {open_argument(2, args[2])};
#ifdef __NR_open
    case __NR_open: return {open_argument(1, args[1])};
    case __NR_arch_prctl: return {whole(0, args[0], kArchitecture)};
#endif
    case __NR_socket:
    case __NR_socketpair: {
      const auto type = static_cast<std::uint32_t>(args[1]) & 0xf;
      return {whole(0, args[0], kFamilies),
              {1, 0xf, type, "SOCK_TYPE_MASK", socket_type_name(type)}};
    }
    case __NR_ioctl: return {whole(1, args[1], kRequests)};
    case __NR_fcntl: return {whole(1, args[1], kFileControls)};
    case __NR_prctl: return {whole(0, args[0], kControls)};
    case __NR_ptrace: return {whole(0, args[0], kTraces)};
    case __NR_seccomp: return {whole(0, args[0], kSeccomp)};
    case __NR_mmap:
      // What is executable and no file was made by the tool itself.
      if (args[2] & PROT_EXEC) {
        const auto anonymous = static_cast<std::uint32_t>(args[3]) & MAP_ANONYMOUS;
        return {protection(2, args[2]),
                {3, MAP_ANONYMOUS, anonymous, "MAP_ANONYMOUS", anonymous ? "MAP_ANONYMOUS" : ""}};
      }
      return {protection(2, args[2])};
    case __NR_mprotect:
    case __NR_pkey_mprotect: return {protection(2, args[2])};
    case __NR_clone: return clone_arguments(args[0]);
    case __NR_unshare: {
      const auto flags = static_cast<std::uint32_t>(args[0]);
      return {{0, 0xffffffff, flags, "", set_of(kCloneFlags, flags)}};
    }
    default: return {};
  }
}

std::vector<Argument> clone_arguments(std::uint64_t flags) {
  const auto spaces = static_cast<std::uint32_t>(flags) & kNamespaces;
  return {{0, kNamespaces, spaces, "CLONE_NEW*", set_of(kCloneFlags, spaces)}};
}

std::string open_flags_name(std::uint32_t flags) {
  constexpr const char* kModes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  const std::string more = set_of(kOpenFlags, flags & ~static_cast<std::uint32_t>(O_ACCMODE));
  return kModes[flags & O_ACCMODE] + (more.empty() ? "" : "|" + more);
}

std::string clone_flags_name(std::uint64_t flags) { return set_of(kCloneFlags, flags); }
std::string family_name(std::uint32_t family) { return one_of(kFamilies, family); }
std::string socket_type_name(std::uint32_t type) { return one_of(kTypes, type); }

std::string signal_name(std::uint32_t number) {
  const char* name = ::sigabbrev_np(static_cast<int>(number));
  return name != nullptr ? "SIG" + std::string(name) : std::to_string(number);
}

}  // namespace rootlet::learn
