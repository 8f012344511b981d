// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/installed.hpp"
#include "launcher/shown_text.hpp"
#include "launcher/verbs.hpp"
#include "runtime/base/json_text.hpp"

namespace rootlet {
namespace {

void print_json(const std::vector<Installed>& all, const std::string& data) {
  JsonText json;
  json.array();
  for (const Installed& one : all) {
    json.object().text("name", one.name).text("version", one.version).text("file", one.file);
    json.text("state", one.state).text("id", one.id);
    json.text("entry", one.entry.empty() ? "" : data + "/" + one.entry);
    json.close();
  }
  json.close();
  std::puts(json.str().c_str());
}

void print_table(const std::vector<Installed>& all) {
  std::size_t wide = 4;
  for (const Installed& one : all) wide = std::max(wide, one.name.size());
  wide = std::min<std::size_t>(wide, 40);
  for (const Installed& one : all) {
    const std::string name = one.name.empty() ? "?" : one.name;
    std::string line = shown_name(name);
    line.resize(std::max(line.size(), wide), ' ');
    std::string version = shown_name(one.version);
    version.resize(std::max<std::size_t>(version.size(), 8), ' ');
    std::string state = one.state;
    state.resize(std::max<std::size_t>(state.size(), 10), ' ');
    std::printf("%s  %s  %s  %s\n", line.c_str(), version.c_str(), state.c_str(),
                shown_name(one.file).c_str());
  }
}

void hint(const std::vector<Installed>& all, const char* state, const char* text) {
  const auto is_so = [&](const Installed& one) { return one.state == state; };
  if (std::none_of(all.begin(), all.end(), is_so)) return;
  (void)os::write_all(STDERR_FILENO, std::string("hint: ") + text + "\n", "print");
}

}  // namespace

int list_verb(int argc, char** argv) {
  bool json = false;
  CLI::App app("Lists the AppImages in your menus, whoever put them there.", "rootlet list");
  app.add_flag("--json", json, "as JSON: name, version, file, state, id, entry");
  app.footer(
      "State: ok; changed: the file is newer than its entry; missing: the file is gone;\n"
      "incomplete: something is left of one that was installed.\n"
      "Examples:\n  rootlet list\n  rootlet list --json | jq -r '.[].file'\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const auto home = XdgHome::open(false);
  if (!home.ok()) {
    print_error(home.error());
    return 125;
  }
  const std::vector<Installed> all = read_installed(home.value());
  if (json) {
    print_json(all, home.value().data());
    return 0;
  }
  print_table(all);
  hint(all, "changed", "`rootlet install FILE` brings an entry up to date");
  hint(all, "missing", "`rootlet uninstall --missing` removes those whose file is gone");
  hint(all, "incomplete", "`rootlet uninstall --missing` removes what is left of them");
  return 0;
}

}  // namespace rootlet
