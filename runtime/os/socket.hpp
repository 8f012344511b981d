// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::os {

// A message over a SOCK_SEQPACKET socket: a text, and descriptors beside it.
struct Message {
  std::string text;
  std::vector<Fd> descriptors;
  bool ended = false;  // no message: the other side is gone
};

// Never waits for a reader: a socket that is full is an error (EAGAIN).
Status send_message(int socket, std::string_view text, std::initializer_list<int> descriptors,
                    std::string_view action);
// At most 4096 bytes of text and as many descriptors as are wanted; more are
// closed. Waits as long as the socket's SO_RCVTIMEO says, then EAGAIN.
Result<Message> receive_message(int socket, std::size_t descriptors, std::string_view action);

}  // namespace rootlet::os
