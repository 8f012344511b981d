// SPDX-License-Identifier: MIT
#include "runtime/sandbox/netlink.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>

#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  add(&header, sizeof header);
}

void NetlinkRequest::add(const void* data, std::size_t size) {
  if (size_ + NLMSG_ALIGN(size) > sizeof bytes_) std::abort();  // no request of ours is so long
  std::memcpy(bytes_ + size_, data, size);
  size_ += NLMSG_ALIGN(size);
}

std::size_t NetlinkRequest::begin(std::uint16_t type) {
  const rtattr head{0, type};
  add(&head, sizeof head);
  return size_ - sizeof head;
}

void NetlinkRequest::end(std::size_t place) {
  const auto length = static_cast<std::uint16_t>(size_ - place);
  std::memcpy(bytes_ + place, &length, sizeof length);  // rta_len comes first
}

void NetlinkRequest::attribute(std::uint16_t type, const void* data, std::size_t size) {
  const std::size_t place = begin(type);
  add(data, size);
  end(place);
}

void NetlinkRequest::attribute(std::uint16_t type, std::string_view text) {
  char ended[64] = {};
  std::memcpy(ended, text.data(), std::min(text.size(), sizeof ended - 1));
  attribute(type, ended, std::min(text.size(), sizeof ended - 1) + 1);
}

Status NetlinkRequest::send(std::string_view action, std::string_view subject) {
  const os::Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.valid()) return last_error(action, subject);
  const auto length = static_cast<std::uint32_t>(size_);
  std::memcpy(bytes_, &length, sizeof length);  // nlmsg_len comes first
  struct {
    nlmsghdr header;
    nlmsgerr error;
    char rest[512];
  } answer;
  if (::send(socket.get(), bytes_, size_, 0) < 0 ||
      ::recv(socket.get(), &answer, sizeof answer, 0) < 0) {
    return last_error(action, subject);
  }
  errno = -answer.error.error;
  if (answer.header.nlmsg_type != NLMSG_ERROR || errno == 0) return Done{};
  return last_error(action, subject);
}

}  // namespace rootlet::sandbox
