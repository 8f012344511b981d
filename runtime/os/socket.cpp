// SPDX-License-Identifier: MIT
#include "runtime/os/socket.hpp"

#include <sys/socket.h>

#include <cstring>

namespace rootlet::os {
namespace {

constexpr std::size_t kText = 4096;
constexpr std::size_t kDescriptors = 4;

// One part and room for descriptors, as sendmsg(2) and recvmsg(2) take them.
struct Header {
  Header(char* text, std::size_t size) : part{text, size} {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
  }
  Header(const Header&) = delete;
  Header& operator=(const Header&) = delete;

  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptors * sizeof(int))] = {};
  iovec part;
  msghdr header{};
};

}  // namespace

Status send_message(int socket, std::string_view text, std::initializer_list<int> descriptors,
                    std::string_view action) {
  Header message(const_cast<char*>(text.data()), text.size());
  if (descriptors.size() > 0) {
    message.header.msg_control = message.control;
    message.header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message.header);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors.begin(), descriptors.size() * sizeof(int));
  }
  if (::sendmsg(socket, &message.header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return last_error(action);
  return Done{};
}

Result<Message> receive_message(int socket, std::size_t descriptors, std::string_view action) {
  Message message;
  message.text.resize(kText);
  Header room(message.text.data(), kText);
  if (descriptors > 0) {
    room.header.msg_control = room.control;
    room.header.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
  }
  ssize_t got;
  do {
    got = ::recvmsg(socket, &room.header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return last_error(action);
  message.ended = got == 0;
  message.text.resize(static_cast<std::size_t>(got));
  const cmsghdr* header = descriptors > 0 ? CMSG_FIRSTHDR(&room.header) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return message;
  const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int fd;
    std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
    message.descriptors.emplace_back(fd);
  }
  return message;
}

}  // namespace rootlet::os
