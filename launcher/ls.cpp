// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "launcher/command_line.hpp"
#include "launcher/image_file.hpp"
#include "launcher/shown_text.hpp"
#include "launcher/verbs.hpp"
#include "runtime/base/json_text.hpp"

namespace rootlet {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{2} << 30;  // names of four million files

struct Wanted {
  std::string image;
  std::vector<std::string> paths;
  bool deep = false, details = false, json = false;
};

std::string mode_text(const Member& member) {
  constexpr std::string_view kLetters = "rwxrwxrwx";
  std::string text(1, member.kind == 'f' || member.kind == 'h' ? '-' : member.kind);
  for (int bit = 8; bit >= 0; --bit) {
    text += (member.mode >> bit) & 1 ? kLetters[static_cast<std::size_t>(8 - bit)] : '-';
  }
  const auto special = [&](std::uint64_t mask, std::size_t at, char letter) {
    if ((member.mode & mask) == 0) return;
    const bool runs = text[at] == 'x';
    text[at] = static_cast<char>(runs ? letter : letter - 'a' + 'A');
  };
  special(04000, 3, 's');
  special(02000, 6, 's');
  special(01000, 9, 't');
  return text;
}

std::string time_text(std::uint64_t seconds) {
  const auto time = static_cast<std::time_t>(std::min<std::uint64_t>(seconds, 253402300799));
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", std::localtime(&time));
  return text;
}

std::string_view kind_name(char kind) {
  switch (kind) {
    case 'f': return "file";
    case 'd': return "directory";
    case 'l': return "symlink";
    case 'h': return "hardlink";
    case 'p': return "fifo";
    case 'c': return "character device";
    case 'b': return "block device";
    default: return "socket";
  }
}

class Printer {
 public:
  explicit Printer(const Wanted& wanted) : wanted_(wanted) {}

  void print(const Member& member) {
    if (wanted_.json) return as_json(member);
    std::string line;
    if (wanted_.details) {
      const std::string size = std::to_string(member.size);
      line = mode_text(member) + " " +
             std::string(12 - std::min<std::size_t>(12, size.size()), ' ') + size + " " +
             time_text(member.mtime) + " ";
    }
    line += shown_name(member.path);
    if (wanted_.details && !member.target.empty()) {
      line += (member.kind == 'h' ? " link to " : " -> ") + shown_name(member.target);
    }
    std::puts(line.c_str());
  }

  void end() {
    if (wanted_.json) std::puts(first_ ? "[]" : "\n]");
  }

 private:
  void as_json(const Member& member) {
    JsonText json;
    json.object().text("path", member.path).text("type", std::string(kind_name(member.kind)));
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(member.mode));
    json.text("mode", mode).number("size", static_cast<std::int64_t>(member.size));
    json.number("mtime", static_cast<std::int64_t>(member.mtime));
    if (!member.target.empty()) json.text("target", member.target);
    json.close();
    std::fputs(first_ ? "[\n" : ",\n", stdout);
    std::fputs(json.str().c_str(), stdout);
    first_ = false;
  }

  const Wanted& wanted_;
  bool first_ = true;
};

Status list_image(const Wanted& wanted) {
  const ImageFile image = TRY(open_image_file(wanted.image));
  std::vector<std::string> words = {wanted.deep ? "deep" : "flat"};
  words.insert(words.end(), wanted.paths.begin(), wanted.paths.end());
  Question question = image.question("list", words);
  question.most_bytes = kMostBytes;
  Examination examination = TRY(Examination::start(std::move(question)));
  Printer printer(wanted);
  std::vector<Member> sorted;  // an ISO image has its names as its bytes lie
  while (auto frame = TRY(examination.next())) {
    auto member = decode_member(frame->body);
    if (frame->tag != Tag::member || !member) {
      return plain_error("read the image", image.name, "what its reader says makes no sense");
    }
    if (image.is_iso()) {
      sorted.push_back(std::move(*member));
    } else {
      printer.print(*member);
    }
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Member& a, const Member& b) { return a.path < b.path; });
  for (const Member& member : sorted) printer.print(member);
  printer.end();
  return Done{};
}

}  // namespace

int ls_verb(int argc, char** argv) {
  Wanted wanted;
  CLI::App app("Lists the files of an image, without running any of it.", "rootlet ls");
  app.add_option("IMAGE", wanted.image, "an AppImage, ours or not, a squashfs, or JAR!/ENTRY")
      ->required();
  app.add_option("PATH", wanted.paths, "directories or files of the image (its root)");
  app.add_flag("-R,--recursive", wanted.deep, "all that lies below, too");
  app.add_flag("-l,--long", wanted.details, "mode, size, time, and where links lead");
  app.add_flag("--json", wanted.json, "as JSON: path, type, mode, size, mtime, target");
  app.footer(
      "Examples:\n  rootlet ls -l tool.AppImage usr/bin\n"
      "  rootlet ls -R --json tool.AppImage | jq -r '.[].path'\n"
      "  rootlet ls 'app.jar!/hmmer'\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const Status done = list_image(wanted);
  if (done.ok()) return 0;
  std::fflush(stdout);
  print_error(done.error());
  return 125;
}

}  // namespace rootlet
