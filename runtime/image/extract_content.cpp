// SPDX-License-Identifier: MIT
#include "runtime/image/extract_content.hpp"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "runtime/image/squashfs.hpp"
#include "runtime/image/workspace.hpp"
#include "runtime/os/parent.hpp"

namespace rootlet::image {
namespace {

constexpr std::uint64_t kPiece = 8u << 20;    // what a thread takes of a file at a time
constexpr std::uint64_t kStretch = 1u << 20;  // and of that, what it writes at a time
constexpr std::size_t kWaiting = 32;          // files, each an open descriptor
constexpr std::size_t kMostThreads = 16;
constexpr std::size_t kStack = 256u << 10;  // decoders keep their memory elsewhere

bool is_zero(const iovec& part) {
  const char* bytes = static_cast<const char*>(part.iov_base);
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, part.iov_len - 1) == 0;
}

bool put(int out, const iovec& part, std::uint64_t at) {
  for (std::size_t done = 0; done < part.iov_len;) {
    const ssize_t put = ::pwrite(out, static_cast<const char*>(part.iov_base) + done,
                                 part.iov_len - done, static_cast<off_t>(at + done));
    if (put < 0 && errno != EINTR) return false;
    if (put > 0) done += static_cast<std::size_t>(put);
  }
  return true;
}

std::size_t processors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return static_cast<std::size_t>(CPU_COUNT(&allowed));
}

}  // namespace

Error damaged(const std::string& path) {
  const std::string where = damage_found();
  return plain_error(kUnpack, "/" + path, where.empty() ? "the image is damaged there" : where,
                     "copy or download it again");
}

struct Filling::Open {
  explicit Open(Unfilled unfilled) : file(std::move(unfilled)) {}

  Unfilled file;
  std::uint64_t next = 0;  // with the lock held: the first byte that nobody has taken
  std::atomic<std::uint64_t> left{file.file->size};
};

struct Filling::Piece {
  std::shared_ptr<Open> of;
  std::uint64_t from = 0, to = 0;
};

Filling::~Filling() {
  {
    const std::lock_guard hold(lock_);
    waiting_.clear();  // nobody wants them any more
  }
  (void)complete([] {});
}

Status Filling::add(Unfilled file) {
  // A hole wherever nothing is written.
  const std::uint64_t size = file.file->size;
  if (size > 0 && ::ftruncate(file.out.get(), static_cast<off_t>(size)) != 0) {
    return last_error(kUnpack, "/" + file.path);
  }
  if (size == 0) return file.finish(file.out.get());
  bool more = false;
  std::size_t many = 0;
  {
    const std::lock_guard hold(lock_);
    if (error_) return *error_;
    waiting_.emplace_back(new Open(std::move(file)));  // make_shared() brings exceptions
    many = waiting_.size();
    more = idle_ == 0;
    ++changed_;
  }
  if (more) {
    add_thread();
  } else {
    os::wake_one(changed_);
  }
  Piece piece;
  while (many > kWaiting && take(piece)) {
    do_piece(piece);
    const std::lock_guard hold(lock_);
    many = waiting_.size();
  }
  return Done{};
}

Status Filling::complete(const std::function<void()>& tick) {
  Piece piece;
  while (take(piece)) {
    do_piece(piece);
    tick();
  }
  {
    const std::lock_guard hold(lock_);
    ended_ = true;
    ++changed_;
  }
  os::wake_all(changed_);
  for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
  threads_.clear();
  Workspace::mine().release();
  if (error_) return *error_;
  return Done{};
}

bool Filling::take(Piece& piece) {
  const std::lock_guard hold(lock_);
  if (waiting_.empty()) return false;
  piece.of = waiting_.front();
  const std::uint64_t size = piece.of->file.file->size;
  piece.from = piece.of->next;
  piece.to = std::min(size, piece.from + kPiece);
  piece.of->next = piece.to;
  if (piece.to == size) waiting_.pop_front();
  return true;
}

void Filling::do_piece(const Piece& piece) {
  if (os::Parent::of_this_process().has_ended()) return fail(os::Parent::end_error());
  auto filled = fill(piece);
  const std::uint64_t size = piece.to - piece.from;
  written_ += size;
  if (filled.ok() && piece.of->left.fetch_sub(size) == size) {
    filled = piece.of->file.finish(piece.of->file.out.get());
  }
  if (!filled.ok()) fail(std::move(filled).error());
}

Status Filling::fill(const Piece& piece) {
  Unfilled& file = piece.of->file;
  for (std::uint64_t at = piece.from; at < piece.to;) {
    const std::uint64_t end = std::min(piece.to, at + kStretch);
    Stretch stretch;
    if (!reader_.gather(*file.file, at, end, nullptr, stretch)) {
      return damaged(file.path);
    }
    for (const iovec& part : stretch.parts) {
      if (!is_zero(part) && !put(file.out.get(), part, at)) {
        return last_error(kUnpack, "/" + file.path);
      }
      at += part.iov_len;
    }
  }
  return Done{};
}

void Filling::fail(Error error) {
  const std::lock_guard hold(lock_);
  if (!error_) error_ = std::move(error);
  waiting_.clear();
}

void Filling::add_thread() {
  if (alone_ || threads_.size() + 1 >= std::min(processors(), kMostThreads)) return;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread;
  alone_ = ::pthread_create(&thread, &attributes, thread_of, this) != 0;
  if (!alone_) threads_.push_back(thread);
}

void* Filling::thread_of(void* filling) {
  auto* self = static_cast<Filling*>(filling);
  for (;;) {
    Piece piece;
    while (self->take(piece)) self->do_piece(piece);
    piece.of.reset();
    self->lock_.lock();
    const std::uint32_t seen = self->changed_;
    const bool wait = self->waiting_.empty() && !self->ended_;
    const bool end = self->waiting_.empty() && self->ended_;
    self->idle_ += wait ? 1 : 0;
    self->lock_.unlock();
    if (end) break;
    if (!wait) continue;
    os::wait_while(self->changed_, seen);
    const std::lock_guard hold(self->lock_);
    --self->idle_;
  }
  Workspace::mine().release();
  return nullptr;
}

}  // namespace rootlet::image
