// SPDX-License-Identifier: MIT
#include "launcher/unpack.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "launcher/hash_progress.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kUnpack = "unpack the image";

Error failure(const std::string& path) { return last_error(kUnpack, "/" + path); }

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? std::string() : path.substr(0, slash);
}
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Unpacking {
 public:
  explicit Unpacking(int top) : top_(top) {}

  Status add(const Member& member) {
    TRY(finish_file());
    const os::Fd parent = TRY(open_directory(parent_of(member.path)));
    const std::string name = name_of(member.path);
    switch (member.kind) {
      case 'd': return directory(parent.get(), name, member);
      case 'f': return file(parent.get(), name, member);
      case 'l':
        if (::symlinkat(member.target.c_str(), parent.get(), name.c_str()) != 0) {
          return failure(member.path);
        }
        break;
      case 'h': return link(parent.get(), name, member);
      case 'p':
        if (::mkfifoat(parent.get(), name.c_str(), member.mode & 0777) != 0) {
          return failure(member.path);
        }
        break;
      default: return Done{};  // device nodes need root, sockets are dead
    }
    ++made_;
    return Done{};
  }

  Status content(std::string_view bytes) {
    if (!file_.valid()) return plain_error(kUnpack, {}, "bytes of no file");
    return os::write_all(file_.get(), bytes, kUnpack, "/" + current_.path);
  }

  // Directories at the end: what they hold would change their times, and their
  // modes may forbid that anything is made in them.
  Result<std::size_t> complete() {
    TRY(finish_file());
    for (auto each = directories_.rbegin(); each != directories_.rend(); ++each) {
      const os::Fd fd = TRY(open_directory(each->first));
      TRY(finish(fd.get(), each->second));
    }
    return made_;
  }

 private:
  // Component by component from the top: none of them can be a symlink. One that
  // the image does not name, or names later, is made.
  Result<os::Fd> open_directory(const std::string& path) {
    os::Fd here = TRY(os::open_at(top_, ".", O_RDONLY | O_DIRECTORY));
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      const std::string part = path.substr(at, end - at);
      if (::mkdirat(here.get(), part.c_str(), 0700) != 0 && errno != EEXIST) return failure(path);
      auto next = os::open_at(here.get(), part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!next.ok()) {
        Error error = next.error();
        error.action = kUnpack;
        error.subject = "/" + path;
        return error;
      }
      here = std::move(next).value();
      at = end + 1;
    }
    return here;
  }

  Status directory(int parent, const std::string& name, const Member& member) {
    if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) return failure(member.path);
    if (!directories_.emplace(member.path, member).second) {
      return plain_error(kUnpack, "/" + member.path, "the image names it twice");
    }
    ++made_;
    return Done{};
  }

  Status file(int parent, const std::string& name, const Member& member) {
    auto opened = os::open_at(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600);
    if (!opened.ok()) {
      Error error = opened.error();
      error.action = kUnpack;
      error.subject = "/" + member.path;
      return error;
    }
    file_ = std::move(opened).value();
    current_ = member;
    ++made_;
    return Done{};
  }

  Status link(int parent, const std::string& name, const Member& member) {
    const os::Fd from = TRY(open_directory(parent_of(member.target)));
    if (::linkat(from.get(), name_of(member.target).c_str(), parent, name.c_str(), 0) != 0) {
      return failure(member.path);
    }
    ++made_;
    return Done{};
  }

  Status finish_file() {
    if (!file_.valid()) return Done{};
    const os::Fd file = std::move(file_);
    file_ = os::Fd();
    return finish(file.get(), current_);
  }

  static Status finish(int fd, const Member& member) {
    const auto seconds = static_cast<time_t>(std::min<std::uint64_t>(member.mtime, 1ull << 33));
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    if (::fchmod(fd, member.mode & 01777) != 0 || ::futimens(fd, times) != 0) {
      return failure(member.path);
    }
    return Done{};
  }

  int top_;
  os::Fd file_;  // whose content comes
  Member current_;
  std::map<std::string, Member> directories_;
  std::size_t made_ = 0;
};

}  // namespace

Result<std::size_t> unpack_iso(const ImageFile& image, const std::vector<std::string>& patterns,
                               int directory) {
  Question question = image.question("unpack", patterns);
  question.most_bytes = 0;  // it goes to the disk
  Examination examination = TRY(Examination::start(std::move(question)));
  Unpacking unpacking(directory);
  HashProgress progress("unpacking " + printable(image.name));
  const auto tell = progress.callback();
  std::uint64_t written = 0;
  while (const auto frame = TRY(examination.next())) {
    if (frame->tag == Tag::content) {
      TRY(unpacking.content(frame->body));
      written += frame->body.size();
      // What is compressed in it (zisofs) unpacks to more than it is.
      if (tell) tell(written, std::max(written, image.length));
      continue;
    }
    const auto member = decode_member(frame->body);
    if (frame->tag != Tag::member || !member) {
      return plain_error(kUnpack, image.name, "what its reader says makes no sense");
    }
    TRY(unpacking.add(*member));
  }
  return unpacking.complete();
}

}  // namespace rootlet
