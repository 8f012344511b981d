// SPDX-License-Identifier: MIT
#include "runtime/stub/appimage.hpp"

#include <sys/stat.h>

#include "runtime/image/decompress.hpp"
#include "runtime/image/extract.hpp"
#include "runtime/run/doctor.hpp"
#include "runtime/run/environment.hpp"
#include "runtime/run/shown.hpp"
#include "runtime/stub/portable.hpp"
#include "runtime/stub/sections.hpp"

namespace rootlet {
namespace {

constexpr const char* kAppImageHelp =
    "  --appimage-help                  this list\n"
    "  --appimage-version               the version of the stub\n"
    "  --appimage-offset                where the image begins, in bytes\n"
    "  --appimage-extract [PATTERN]     unpack into ./squashfs-root\n"
    "  --appimage-mount                 show the image as a directory until a signal\n"
    "  --appimage-extract-and-run       run with the image unpacked first (mount=extract)\n"
    "  --appimage-portable-home         make FILE.home, the home of every run from then on;\n"
    "                                   -config, -share, -cache: parts of it\n"
    "  --appimage-updateinformation     the embedded update information\n"
    "  --appimage-signature             the embedded signature\n";

void print(int fd, const std::string& text) { (void)os::write_all(fd, text, "print"); }

Result<int> extract(const std::vector<std::string>& arguments, Source& source) {
  constexpr const char* kDirectory = "squashfs-root";
  if (arguments.size() > 1) {
    return plain_error("unpack the image", "--appimage-extract", "more than one pattern");
  }
  if (::mkdir(kDirectory, 0755) != 0) {
    return last_error("unpack the image", kDirectory, "remove it, or go to another directory");
  }
  const os::Fd directory =
      TRY(os::open_at(AT_FDCWD, kDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  image::Wanted wanted;
  if (!arguments.empty()) {
    wanted = [pattern = arguments[0]](const std::string& path) {
      return glob_matches(pattern, path);
    };
  }
  auto extracted = image::extract_all(*source.image, directory.get(), wanted);
  if (!extracted.ok()) {
    Error error = std::move(extracted).error();
    if (error.code == ENOSPC) error.hint = "remove " + std::string(kDirectory) + ", and make room";
    return error;
  }
  return 0;
}

}  // namespace

int print_help(const std::string& argv0) {
  std::string text = "Usage: " + argv0 +
                     " [--rootlet-OPTION[=VALUE]]... [--appimage-OPTION] [ARGUMENT]...\n\n"
                     "Runs the packaged tool in a root of its own. Options are read while they\n"
                     "lead; everything from the first other argument on is the tool's.\n\n";
  for (const OptionRow& row : option_table()) {
    if (row.help.empty()) continue;
    std::string left = "  " + usage_of(row);
    left.resize(std::max<std::size_t>(left.size() + 2, 46), ' ');
    text += left + std::string(row.help) + "\n";
  }
  text += std::string("\n") + kAppImageHelp +
          "\nExamples:\n"
          "  " +
          argv0 +
          " ARGUMENTS                         in the current directory, no network\n"
          "  " +
          argv0 +
          " --rootlet-bind=/data ARGUMENTS    with one more directory of the host\n"
          "  " +
          argv0 +
          " --rootlet-profile=isolated --rootlet-input=in.fa --rootlet-output=out ...\n"
          "\nExit status: the tool's own; 124 timeout, 125 our failure, 126 cannot be executed,\n"
          "127 not there. A tool that died of a signal: the same signal.\n";
  print(STDOUT_FILENO, text);
  return 0;
}

int print_version() {
  print(STDOUT_FILENO, "rootlet " ROOTLET_VERSION "\n");
  return 0;
}

int print_findings(const Caller& caller) {
  const auto findings = examine_host(caller);
  print(STDOUT_FILENO, findings_text(findings));
  return verdict(findings) << 8;
}

Result<int> print_inspection(Source& source) {
  const Policy policy = TRY(read_policy(source));
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) text += name + ": " + printable(value) + "\n";
  };
  line("file", source.file);
  line("name", policy.name);
  line("version", policy.version);
  line("licence", policy.licence);
  line("url", policy.url);
  if (source.image) {
    const Superblock block =
        TRY(read_superblock(source.payload.fd, source.payload.offset, source.file));
    line("offset", std::to_string(source.payload.offset));
    line("image bytes", std::to_string(source.payload.length));
    line("compression", image::compression_name(block.compression));
    line("block size", std::to_string(block.block_size));
    line("inodes", std::to_string(block.inodes));
    if (source.image->seal() != nullptr) line("seal", seal_text(source.image->seal()->digest));
  }
  for (const std::string& word : policy.entrypoint) line("entrypoint", word);
  for (const auto& [name, path] : policy.commands) line("command", name + " = " + path);
  for (const auto& [option, value] : policy.isolation) line("isolation", option + " = " + value);
  for (const Policy::Data& data : policy.data) line("data", data.name + " at " + data.path);
  print(STDOUT_FILENO, text);
  return 0;
}

Result<int> appimage_option(const std::string& name, const std::vector<std::string>& arguments,
                            const std::string& target_appimage, const Caller& caller) {
  if (name == "help") {
    print(STDERR_FILENO, kAppImageHelp);
    return 0;
  }
  if (name == "version") {
    print(STDERR_FILENO, "AppImage runtime version: rootlet " ROOTLET_VERSION "\n");
    return 0;
  }
  if (name == "signature" || name == "updateinfo" || name == "updateinformation") {
    print(STDOUT_FILENO,
          TRY(section_text(name == "signature" ? ".sha256_sig" : ".upd_info", target_appimage)) +
              "\n");
    return 0;
  }
  constexpr std::string_view kPortable = "portable-";
  const bool portable = name.starts_with(kPortable) && is_portable(name.substr(kPortable.size()));
  if (name == "offset" || name == "extract" || name == "mount" || portable) {
    Source source = TRY(open_own(target_appimage));
    if (portable) return make_portable(source.file, name.substr(kPortable.size()));
    if (name == "mount") return show_image(source, caller);
    if (name == "extract") return extract(arguments, source);
    print(STDOUT_FILENO, std::to_string(source.payload.offset) + "\n");
    return 0;
  }
  return plain_error("read the options", "--appimage-" + name, "no such option",
                     "--appimage-help lists them; ROOTLET_RAW_ARGS=1 hands every argument to the "
                     "tool");
}

}  // namespace rootlet
