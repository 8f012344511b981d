// SPDX-License-Identifier: MIT
// Addresses that a call names.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "launcher/learn/observer.hpp"
#include "launcher/learn/tracee.hpp"

namespace rootlet::learn {
namespace {

// Of a socket of another process: by a copy of its descriptor (pidfd_getfd(2),
// Linux 5.6); empty where there is none.
std::string type_of_socket(pid_t process, int socket) {
  const os::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!pidfd.valid()) return "";
  const os::Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), socket, 0)));
  int type = 0;
  socklen_t size = sizeof type;
  if (!copy.valid() || ::getsockopt(copy.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) return "";
  switch (type) {
    case SOCK_STREAM: return "stream";
    case SOCK_DGRAM: return "dgram";
    case SOCK_SEQPACKET: return "seqpacket";
    case SOCK_RAW: return "raw";
    default: return std::to_string(type);
  }
}

NetworkUse internet(const sockaddr_storage& address) {
  NetworkUse use;
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    use.family = "inet";
    use.port = ntohs(in.sin_port);
  } else {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    use.family = "inet6";
    use.port = ntohs(in.sin6_port);
  }
  use.address = text;
  return use;
}

NetworkUse local(const sockaddr_storage& address, std::size_t size) {
  NetworkUse use;
  use.family = "unix";
  sockaddr_un un{};
  std::memcpy(&un, &address, std::min(size, sizeof un));
  const std::size_t length = size - std::min(size, offsetof(sockaddr_un, sun_path));
  const std::string_view path(un.sun_path, std::min(length, sizeof un.sun_path));
  if (path.empty()) return use;
  use.address = path[0] == '\0' ? "@" + std::string(path.substr(1))
                                : std::string(path.substr(0, path.find('\0')));
  return use;
}

NetworkUse use_of(const sockaddr_storage& address, std::size_t size) {
  if (address.ss_family == AF_INET || address.ss_family == AF_INET6) return internet(address);
  if (address.ss_family == AF_UNIX) return local(address, size);
  NetworkUse use;
  use.family = address.ss_family == AF_NETLINK ? "netlink" : std::to_string(address.ss_family);
  return use;
}

}  // namespace

void Observer::see_address(const Moment& moment, const std::string& direction, int socket,
                           std::uint64_t address, std::uint64_t size, Answer& answer) {
  sockaddr_storage storage{};
  size = std::min<std::uint64_t>(size, sizeof storage);
  if (address == 0 || size < sizeof(sa_family_t)) return;
  if (!bytes_at(moment.tid, address, &storage, size)) return;
  NetworkUse use = use_of(storage, size);
  if (storage.ss_family == AF_UNSPEC) return;  // takes a connection back (connect(2))
  use.direction = direction;
  use.type = type_of_socket(moment.process.pid, socket);
  const bool path = use.family == "unix" && !use.address.empty() && use.address[0] != '@';
  if (path) {
    const Found found = resolver_.find(moment.tid, book_.directory_of(moment.process), use.address,
                                       true, moment.process.own_root);
    use.address = found.path;
    if (direction == "bind") use_path(moment, found, Access::create, 0, answer);
  }
  const std::string key = use.direction + '\n' + use.family + '\n' + use.type + '\n' + use.address +
                          '\n' + std::to_string(use.port);
  NetworkUse& kept = entry(network_, key, spilled_network_, "addresses");
  if (kept.tally.count == 0) kept = std::move(use);
  count(kept.tally, moment, 0);
  answer.tallies.push_back(&kept.tally);
  answer.watch_return = kept.tally.count <= kLooksAtRefusals;
}

void Observer::see_network(const Moment& moment, Answer& answer) {
  const auto* args = moment.call.args;
  const int socket = static_cast<int>(args[0]);
  switch (moment.call.nr) {
    case __NR_connect: return see_address(moment, "connect", socket, args[1], args[2], answer);
    case __NR_bind: return see_address(moment, "bind", socket, args[1], args[2], answer);
    case __NR_sendto: return see_address(moment, "send", socket, args[4], args[5], answer);
    case __NR_sendmsg: {
      struct {
        std::uint64_t name;
        std::uint32_t length;
      } header{};
      if (!bytes_at(moment.tid, args[1], &header, 12)) return;
      return see_address(moment, "send", socket, header.name, header.length, answer);
    }
    default: return;
  }
}

}  // namespace rootlet::learn
