// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/data_store.hpp"
#include "launcher/learn/output.hpp"
#include "launcher/release.hpp"
#include "launcher/verbs.hpp"
#include "runtime/run/source.hpp"

// One file that pins tools and data of a release.
namespace rootlet {
namespace {

constexpr std::string_view kLock = "pin the release";

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet lock --name meta-pipe --version 1.0 -o meta-pipe.release *.AppImage\n"
    "  rootlet lock -o r.release tool.AppImage --attach swissprot.sqfs:/opt/db\n"
    "  rootlet run meta-pipe.release hmmer hmmsearch globins.hmm proteins.fa\n"
    "  rootlet check meta-pipe.release       # is all of it there, and sound?\n"
    "\n"
    "What it pins is found beside it, in --data-path, in your store (rootlet data)\n"
    "and in the site's.\n";

struct Request {
  std::vector<std::string> images, attached;
  std::string output, name, version;
};

std::string base_name(const std::string& file) {
  const std::string name = file.substr(file.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

// Its name, its seal's digest and its size.
Result<Release::Pin> pin_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return last_error(kLock, file);
  const os::Fd fd = TRY(os::open_at(AT_FDCWD, file, O_RDONLY));
  const auto seal = TRY(seal_of(fd.get(), file));
  if (!seal) {
    return plain_error(kLock, file, "it has no seal, by which it could be known",
                       "rootlet data add puts a sealed copy into your store; rootlet build seals");
  }
  return Release::Pin{base_name(file), seal_text(seal->digest),
                      static_cast<std::uint64_t>(status.st_size), "", false};
}

void add_once(std::vector<Release::Pin>& pins, Release::Pin pin) {
  const bool there = std::any_of(pins.begin(), pins.end(), [&](const Release::Pin& old) {
    return old.name == pin.name && old.digest == pin.digest && old.path == pin.path;
  });
  if (!there) pins.push_back(std::move(pin));
}

Status add_tool(Release& release, const std::string& file) {
  Release::Pin pin = TRY(pin_of(file));
  Source source = TRY(open_source(file));
  const Policy policy = TRY(read_policy(source));
  if (!policy.name.empty() && policy.name.find('/') == std::string::npos) pin.name = policy.name;
  if (release.tool(pin.name) != nullptr) {
    return plain_error(kLock, file, "the release has a tool of this name already: " + pin.name,
                       "[tool] name in its policy tells tools apart");
  }
  release.tools.push_back(std::move(pin));
  for (const Policy::Data& data : policy.data) {
    add_once(release.data, {data.name, data.digest, data.size, data.path, false});
  }
  return Done{};
}

// FILE:/PATH, shown to each tool of the release.
Status add_data(Release& release, const std::string& text) {
  const std::vector<std::string> parts = split_escaped(text, ':');
  if (parts.size() != 2 || parts[0].empty() || !parts[1].starts_with('/')) {
    return plain_error("read the command line", "--attach=" + text, "not FILE:/ABSOLUTE/PATH");
  }
  Release::Pin pin = TRY(pin_of(parts[0]));
  pin.path = parts[1];
  pin.attached = true;
  add_once(release.data, std::move(pin));
  return Done{};
}

Status lock(const Request& request) {
  Release release;
  release.name = request.name.empty() ? base_name(request.output) : request.name;
  release.version = request.version;
  for (const std::string& image : request.images) TRY(add_tool(release, image));
  for (const std::string& text : request.attached) TRY(add_data(release, text));
  TRY(learn::write_output(request.output, write_release(release)));
  for (const auto& [what, pins] :
       {std::pair{"tool", &release.tools}, std::pair{"data", &release.data}}) {
    for (const Release::Pin& pin : *pins) {
      std::printf("%s %s %s%s\n", what, printable(pin.name).c_str(), pin.digest.c_str(),
                  pin.path.empty() ? "" : (" at " + printable(pin.path)).c_str());
    }
  }
  return Done{};
}

}  // namespace

int lock_verb(int argc, char** argv) {
  CLI::App app("One small file that pins the tools and data of a release by digest.",
               "rootlet lock");
  app.footer(kExamples);
  Request request;
  app.add_option("IMAGE", request.images, "the tools")->required();
  app.add_option("-o,--output", request.output, "the file to write")->required();
  app.add_option("--name", request.name, "of the release [the file's]");
  app.add_option("--version", request.version, "of the release");
  app.add_option("--attach", request.attached, "FILE:/PATH: data that each tool is shown there")
      ->allow_extra_args(false);
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const auto done = lock(request);
  if (done.ok()) return 0;
  print_error(done.error());
  return done.error().exit_code;
}

}  // namespace rootlet
