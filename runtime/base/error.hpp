// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

namespace rootlet {

// What went wrong, in the terms a user can act on. It is built where the
// failure happens and printed once, by main().
struct Error {
  int code = 0;         // errno, or 0 when no system call failed
  std::string action;   // infinitive: "mount the image"
  std::string subject;  // the path, descriptor or option it was done to
  std::string hint;     // what the user can type or change; may be empty
  std::string reason;   // said instead of the errno's text where there is a better one
  int exit_code = 125;  // 125 our failure, 126 cannot execute, 127 not there

  // "mount the image: /tmp/x: Operation not permitted (EPERM)", no newline.
  std::string message() const;
  // The part behind the subject, without the errno's name; may be empty.
  std::string explanation() const;
};

// The error of the system call that just failed. The subject is a view, so
// that errno is read before anything here can allocate and change it.
Error last_error(std::string_view action, std::string_view subject = {},
                 std::string_view hint = {});

// An error that no system call reported.
Error plain_error(std::string_view action, std::string_view subject, std::string_view reason,
                  std::string_view hint = {});

// The symbolic name of an errno ("EPERM"), or "errno N" for an unknown one.
std::string errno_name(int code);

// The text with control bytes as \xNN: names and values of an image can hold
// line ends and a terminal's commands.
std::string printable(std::string_view text);

// Writes "rootlet: MESSAGE" and, where there is one, "hint: ..." to stderr
// with a single write, so that lines of parallel runs do not mix.
void print_error(const Error& error);

}  // namespace rootlet
