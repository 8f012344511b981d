// SPDX-License-Identifier: MIT
#include "launcher/passphrase.hpp"

#include <termios.h>
#include <unistd.h>

#include "runtime/os/fd.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kAsk = "ask for the passphrase";
constexpr std::size_t kLongest = 1024;  // as minisign has it

// Until it goes, the terminal shows nothing of what is typed.
class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd), changed_(::tcgetattr(fd, &before_) == 0) {
    if (!changed_) return;
    struct termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd, TCSAFLUSH, &quiet);
  }
  NoEcho(const NoEcho&) = delete;
  ~NoEcho() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }

 private:
  int fd_;
  struct termios before_ {};
  bool changed_;
};

Result<std::string> read_line(int fd) {
  std::string line;
  char letter = 0;
  for (;;) {
    const ssize_t got = ::read(fd, &letter, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kAsk);
    if (got == 0 || letter == '\n') return line;
    if (line.size() == kLongest) return plain_error(kAsk, "", "it is longer than 1024 bytes");
    line += letter;
  }
}

Result<std::string> ask_once(int terminal, const std::string& question) {
  TRY(os::write_all(terminal, question, kAsk));
  const NoEcho quiet(terminal);
  auto line = read_line(terminal);
  (void)os::write_all(terminal, "\n", kAsk);
  return line;
}

}  // namespace

Result<std::string> passphrase_from_file(const std::string& path) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY));
  return read_line(file.get());
}

Result<std::string> ask_passphrase(const std::string& question, bool again) {
  const os::Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal.valid()) {
    std::string line = TRY(read_line(STDIN_FILENO));
    if (!line.empty()) return line;
    return plain_error(kAsk, "", "there is no terminal, and stdin is empty",
                       "--passphrase-file FILE");
  }
  std::string first = TRY(ask_once(terminal.get(), question));
  if (!again || TRY(ask_once(terminal.get(), "Once more: ")) == first) return first;
  return plain_error(kAsk, "", "the two are not the same", "try again");
}

trust::AskPassphrase passphrase_source(const std::string& file, const std::string& key) {
  return [file, key]() -> Result<std::string> {
    if (!file.empty()) return passphrase_from_file(file);
    return ask_passphrase("Passphrase of " + key + ": ", false);
  };
}

}  // namespace rootlet
