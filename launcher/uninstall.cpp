// SPDX-License-Identifier: MIT
#include <cstdio>
#include <filesystem>

#include "launcher/command_line.hpp"
#include "launcher/installed.hpp"
#include "launcher/shown_text.hpp"
#include "launcher/verbs.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRemove = "uninstall";

// By the file's path, its id, or the name of the application.
Result<Installed> find_installed(const std::string& word, const std::vector<Installed>& all) {
  const std::string path = std::filesystem::absolute(word).lexically_normal();
  const std::string id = appimage_id(path);
  std::vector<Installed> named;
  for (const Installed& one : all) {
    if (one.id == id || one.id == word || one.file == path) return one;
    if (one.name == word) named.push_back(one);
  }
  if (named.size() == 1) return named.front();
  if (named.empty()) {
    return plain_error(kRemove, word, "it is not installed", "`rootlet list` shows what is");
  }
  return plain_error(kRemove, word, std::to_string(named.size()) + " files have that name",
                     "say which: rootlet uninstall '" + named.front().file + "'");
}

void remove_one(XdgHome& home, const Installed& one, bool quiet) {
  home.remove(one.id, {});
  if (!one.file.empty()) home.remove_thumbnails(one.file);
  if (!quiet)
    std::printf("uninstalled %s\n", shown_text(one.name.empty() ? one.id : one.name).c_str());
}

Status uninstall(const std::vector<std::string>& words, bool missing, bool quiet) {
  XdgHome home = TRY(XdgHome::open(true));
  const std::vector<Installed> all = read_installed(home);
  std::vector<Installed> chosen;
  for (const std::string& word : words) {
    auto found = find_installed(word, all);
    if (!found.ok()) {
      home.tidy();
      return found.error();
    }
    chosen.push_back(std::move(found).value());
  }
  for (const Installed& one : all) {
    if (missing && (one.state == "missing" || one.state == "incomplete")) chosen.push_back(one);
  }
  for (const Installed& one : chosen) remove_one(home, one, quiet);
  home.refresh();
  home.tidy();
  return Done{};
}

}  // namespace

int uninstall_verb(int argc, char** argv) {
  std::vector<std::string> words;
  bool missing = false, quiet = false;
  CLI::App app("Takes AppImages out of your menus. The files themselves stay.",
               "rootlet uninstall");
  app.add_option("IMAGE", words, "its file (may be gone), or its name as list shows it");
  app.add_flag("--missing", missing, "all whose file is gone, and what is left of others");
  app.add_flag("-q,--quiet", quiet, "say nothing when all went well");
  app.footer(
      "Examples:\n  rootlet uninstall ~/Applications/viewer.AppImage\n"
      "  rootlet uninstall 'Foo Viewer'\n  rootlet uninstall --missing\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  if (words.empty() && !missing) {
    print_error(plain_error("read the command line", "rootlet uninstall", "no IMAGE is given",
                            "rootlet uninstall --help"));
    return 125;
  }
  const Status done = uninstall(words, missing, quiet);
  if (done.ok()) return 0;
  print_error(done.error());
  return 125;
}

}  // namespace rootlet
