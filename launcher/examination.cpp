// SPDX-License-Identifier: MIT
#include "launcher/examination.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "runtime/os/process.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the image";
constexpr std::string_view kHarm = "the file is damaged or built to do harm; do not run it";
constexpr std::size_t kMostNotes = 100;

std::vector<std::string> places_of_program() {
  char own[4096];
  const ssize_t length = ::readlink("/proc/self/exe", own, sizeof own);
  const std::string path(own, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::string directory = path.substr(0, path.rfind('/'));
  return {directory + "/rootlet-examiner", directory + "/../libexec/rootlet/rootlet-examiner"};
}

// In the child: the file as 3, the pipe as 4, nothing else of the caller.
[[noreturn]] void become_examiner(const Question& question, int pipe, pid_t parent,
                                  const std::vector<std::string>& places) {
  // Killed with us, who may be killed ourselves; perhaps we were, already.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR);
  // Out of the way first: either may be 3 or 4 already.
  const int file = ::fcntl(question.file, F_DUPFD, 10), out = ::fcntl(pipe, F_DUPFD, 10);
  if (null < 0 || file < 0 || out < 0) ::_exit(1);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  ::dup2(file, 3);
  ::dup2(out, 4);
  os::close_all_but({0, 1, 2, 3, 4});
  ::signal(SIGPIPE, SIG_DFL);
  std::vector<std::string> words = {"rootlet-examiner", question.job,
                                    std::to_string(question.offset),
                                    std::to_string(question.length)};
  words.insert(words.end(), question.words.begin(), question.words.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/nonexistent";
  char* const environment[] = {locale, home, nullptr};
  for (const std::string& place : places) ::execve(place.c_str(), argv.data(), environment);
  ::_exit(127);
}

}  // namespace

Result<Examination> Examination::start(Question question) {
  auto [in, out] = TRY(os::make_pipe(kRead));
  const std::vector<std::string> places = places_of_program();
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) return last_error(kRead, question.name);
  if (child == 0) become_examiner(question, out.get(), parent, places);
  out.reset();
  return Examination(std::move(question), child, std::move(in));
}

Examination::Examination(Examination&& other) noexcept
    : question_(std::move(other.question_)),
      child_(std::exchange(other.child_, -1)),
      answers_(std::move(other.answers_)),
      waiting_(std::move(other.waiting_)),
      received_(other.received_),
      notes_(std::move(other.notes_)),
      over_(other.over_) {}

Examination::~Examination() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  os::wait_for(child_);
}

Error Examination::refused(std::string_view reason) const {
  return plain_error(kRead, question_.name, reason, kHarm);
}

// It ended without having said all.
Error Examination::dead() {
  const int status = os::wait_for(std::exchange(child_, -1));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    return plain_error("run", places_of_program()[0], "it is not there",
                       "install rootlet-examiner beside rootlet, or in ../libexec/rootlet");
  }
  if (!WIFSIGNALED(status)) return refused("its reader gave up without a word");
  switch (WTERMSIG(status)) {
    case SIGSYS: return refused("its reader was ended for a system call that no reader makes");
    case SIGXCPU: return refused("reading it takes longer than anything sensible does");
    default: break;
  }
  return refused(std::string("its reader died of ") + ::strsignal(WTERMSIG(status)));
}

Error Examination::told(std::string_view body) const {
  const auto subject = take_text(body), reason = take_text(body), hint = take_text(body);
  if (!hint) return refused("what its reader says makes no sense");
  const std::string where = subject->empty() || *subject == "the image"
                                ? question_.name
                                : question_.name + ": " + *subject;
  return plain_error(kRead, where, *reason, *hint);
}

// Waits for bytes; false: there will be none any more.
Result<bool> Examination::more() {
  pollfd wait{answers_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&wait, 1, question_.patience * 1000);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    return refused("its reader has said nothing for " + std::to_string(question_.patience) +
                   " seconds");
  }
  char buffer[1 << 16];
  const ssize_t got = ::read(answers_.get(), buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) return last_error(kRead, question_.name);
  waiting_.append(buffer, static_cast<std::size_t>(got));
  received_ += static_cast<std::uint64_t>(got);
  if (question_.most_bytes != 0 && received_ > question_.most_bytes) {
    return refused("its reader says more than " + std::to_string(question_.most_bytes >> 20) +
                   " MiB");
  }
  return got > 0;
}

Result<std::optional<Frame>> Examination::one() {
  for (;;) {
    auto frame = take_frame(waiting_);
    if (!frame.ok()) return refused("what its reader says makes no sense");
    if (frame.value()) return frame;
    if (!TRY(more())) return dead();
  }
}

Result<std::optional<Frame>> Examination::next() {
  while (!over_) {
    auto got = one();
    if (!got.ok()) return got;
    std::optional<Frame>& frame = got.value();
    if (frame->tag == Tag::error) return told(frame->body);
    if (frame->tag == Tag::note) {
      if (notes_.size() < kMostNotes) notes_.push_back(std::move(frame->body));
      continue;
    }
    if (frame->tag != Tag::end) return got;
    over_ = true;
  }
  return std::optional<Frame>();
}

}  // namespace rootlet
