// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// What launcher and init, and init and the tool's process, tell each other: each
// two over one socket pair of theirs that keeps messages apart (SOCK_SEQPACKET). When one of them
// is gone the other sees the end of it: neither death is ever missed.
struct Message {
  enum class Kind : std::uint8_t {
    signal = 1,  // launcher -> init: number = the signal to pass on
    started,     // tool's process -> init: its network namespace is made, and /dev;
                 // init -> launcher: the tool's program runs
    note,        // init -> launcher: text = a line for the user;
                 // init -> tool's process: text = the directory to start in, and go
    stopped,     // init -> launcher: number = the signal that stopped the tool
    ended,       // init -> launcher: number = its wait status
    failed,      // init -> launcher: error
    errand,      // init -> launcher, over `errands`: number = an Errand; and back: it is done
  };
  Kind kind = Kind::note;
  int number = 0;
  std::string text;
  Error error;
};

// What init cannot do from inside, and asks of the launcher.
enum class Errand {
  ids,      // write the id maps that the kernel takes from outside only
  network,  // connect the network namespace that init is in
};
// Returns when it is done, with a number where one comes of it. `errands`: the
// other end of the launcher's.
Result<int> ask_outside(int errands, Errand what);

Status send_message(int socket, const Message& message);

// Waits for the next one; nothing when the other end is gone.
std::optional<Message> receive_message(int socket);

}  // namespace rootlet::sandbox
