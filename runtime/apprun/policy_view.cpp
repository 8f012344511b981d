// SPDX-License-Identifier: MIT
#include "runtime/apprun/policy_view.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace apprun {
namespace {

constexpr const char* kRead = "read the policy";
constexpr const char* kPath = ".rootlet/policy.bin";
constexpr size_t kMaximum = 1u << 20;
constexpr size_t kHeader = 16;
constexpr size_t kRecordHeader = 8;
constexpr unsigned kVersion = 1;
constexpr unsigned kSkippable = 1;

// The numbers of runtime/policy/policy.cpp.
enum Tag : unsigned {
  kName = 1,
  kToolVersion,
  kLicence,
  kUrl,
  kEntrypoint,
  kArgument,
  kCommand,
  kDispatch,
  kWorkdir,
  kEnv,
  kSelftest,
  kIsolation,
  kLocked,
  kData,
  kOwnAppRun,
};

[[noreturn]] void malformed(const char* reason) {
  fail({kRead, kPath, reason, 0, "the image is damaged, or was made by a newer rootlet"});
}

struct Bytes {
  const char* at;
  size_t size;
};

unsigned number(const char* at, size_t bytes) {
  unsigned value = 0;
  while (bytes-- > 0) value = (value << 8) | static_cast<unsigned char>(at[bytes]);
  return value;
}

Bytes read_file(int root) {
  const int fd = openat(root, kPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    fail({kRead, kPath, nullptr, errno, "an AppRun of rootlet's needs it beside itself"});
  }
  struct stat status;
  if (fstat(fd, &status) != 0) fail({kRead, kPath, nullptr, errno});
  if (!S_ISREG(status.st_mode)) malformed("not a file");
  if (status.st_size < 0 || static_cast<uint64_t>(status.st_size) > kMaximum) {
    malformed("it is larger than 1 MiB");
  }
  const size_t size = static_cast<size_t>(status.st_size);
  char* bytes = static_cast<char*>(malloc(size + 1));
  if (bytes == nullptr) fail({kRead, kPath, nullptr, ENOMEM});
  size_t done = 0;
  while (done < size) {
    const ssize_t got = read(fd, bytes + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail({kRead, kPath, nullptr, errno});
    if (got == 0) malformed("cut short");
    done += static_cast<size_t>(got);
  }
  close(fd);
  return {bytes, size};
}

// A record's payload as a string of its own.
const char* text_of(Bytes payload) {
  if (memchr(payload.at, '\0', payload.size) != nullptr) malformed("a text holds a NUL");
  return copy(payload.at, payload.size);
}

void take_record(PolicyView& view, unsigned tag, bool skippable, Bytes payload) {
  switch (tag) {
    case kName: view.name = text_of(payload); break;
    case kWorkdir: view.workdir = text_of(payload); break;
    case kEntrypoint: view.entrypoint.add(text_of(payload)); break;
    case kArgument: view.arguments.add(text_of(payload)); break;
    case kEnv: view.env.add(text_of(payload)); break;
    case kDispatch: view.by_argument = strcmp(text_of(payload), "argument") == 0; break;
    case kCommand: {
      const auto* nul = static_cast<const char*>(memchr(payload.at, '\0', payload.size));
      if (nul == nullptr) malformed("a record lacks its second part");
      const size_t first = static_cast<size_t>(nul - payload.at);
      view.commands.add(text_of({payload.at, first}));
      view.programs.add(text_of({nul + 1, payload.size - first - 1}));
      break;
    }
    // Of no interest here.
    case kToolVersion:
    case kLicence:
    case kUrl:
    case kSelftest:
    case kIsolation:
    case kLocked:
    case kData:
    case kOwnAppRun: break;
    default:
      if (!skippable) malformed("a record of unknown kind");
  }
}

// Every path that is run is one inside the image.
void check(const PolicyView& view) {
  if (view.entrypoint.count() > 0 && view.entrypoint[0][0] != '/') {
    malformed("the entry point is no absolute path");
  }
  for (const char* program : view.programs) {
    if (program[0] != '/') malformed("a command is no absolute path");
  }
  for (const char* entry : view.env) {
    if (strchr(entry, '=') == nullptr) malformed("a variable lacks its value");
  }
  if (view.workdir[0] != '/') malformed("the working directory is no absolute path");
}

}  // namespace

PolicyView read_policy(int root) {
  Bytes left = read_file(root);
  if (left.size < kHeader || memcmp(left.at, "RLPOLICY", 8) != 0) malformed("not a policy");
  if (number(left.at + 8, 4) != kVersion) malformed("of another version");
  if (number(left.at + 12, 4) != left.size) malformed("cut short");

  PolicyView view;
  const auto skip = [&](size_t bytes) {
    left.at += bytes;
    left.size -= bytes;
  };
  skip(kHeader);
  while (left.size > 0) {
    if (left.size < kRecordHeader) malformed("cut short in a record");
    const unsigned tag = number(left.at, 2);
    const bool skippable = (number(left.at + 2, 2) & kSkippable) != 0;
    const size_t length = number(left.at + 4, 4);
    skip(kRecordHeader);
    if (length > left.size) malformed("a record is longer than the file");
    take_record(view, tag, skippable, {left.at, length});
    skip(length);
  }
  check(view);
  return view;
}

}  // namespace apprun
