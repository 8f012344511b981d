// SPDX-License-Identifier: MIT
#include "runtime/sandbox/control.hpp"

#include <sys/socket.h>

#include <cstring>

namespace rootlet::sandbox {
namespace {

constexpr std::size_t kMaximum = 32768;  // paths and argument excerpts, never more

}  // namespace

Status send_message(int socket, const Message& message) {
  // kind, number, error code, exit code, then texts that end in NUL.
  std::string bytes(1, static_cast<char>(message.kind));
  for (const int number : {message.number, message.error.code, message.error.exit_code}) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  for (const std::string& text : {message.text, message.error.action, message.error.subject,
                                  message.error.hint, message.error.reason}) {
    bytes += text.substr(0, 6000) + '\0';
  }
  if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
    return last_error("tell the launcher");
  }
  return Done{};
}

Result<int> ask_outside(int errands, Errand what) {
  TRY(send_message(errands, {Message::Kind::errand, static_cast<int>(what), "", {}}));
  // One that fails ends the run, and us with it.
  if (const auto done = receive_message(errands)) return done->number;
  return plain_error("ask the launcher", "", "it is gone");
}

std::optional<Message> receive_message(int socket) {
  static char bytes[kMaximum];  // pages that no message fills are never touched
  ssize_t got;
  do {
    got = ::recv(socket, bytes, sizeof bytes, 0);
  } while (got < 0 && errno == EINTR);
  constexpr std::size_t kFixed = 1 + 3 * sizeof(int);
  if (got < static_cast<ssize_t>(kFixed)) return {};

  Message message;
  message.kind = static_cast<Message::Kind>(bytes[0]);
  std::memcpy(&message.number, &bytes[1], sizeof(int));
  std::memcpy(&message.error.code, &bytes[1 + sizeof(int)], sizeof(int));
  std::memcpy(&message.error.exit_code, &bytes[1 + 2 * sizeof(int)], sizeof(int));
  std::string_view rest(&bytes[kFixed], static_cast<std::size_t>(got) - kFixed);
  for (std::string* text : {&message.text, &message.error.action, &message.error.subject,
                            &message.error.hint, &message.error.reason}) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return {};
    *text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  return message;
}

}  // namespace rootlet::sandbox
