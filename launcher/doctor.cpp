// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>
#include <string>

#include "launcher/verbs.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/base/option_text.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/doctor.hpp"

// doctor: every mechanism that runs use, and the knobs of the host around them.
namespace rootlet {
namespace {

// Shown as they are: none of them alone says whether runs work.
constexpr const char* kKnobs[] = {"user/max_user_namespaces",
                                  "kernel/unprivileged_userns_clone",
                                  "kernel/apparmor_restrict_unprivileged_userns",
                                  "kernel/yama/ptrace_scope",
                                  "dev/tty/legacy_tiocsti",
                                  "fs/fuse/max_pages_limit",
                                  "kernel/pid_max"};

std::vector<std::pair<std::string, std::string>> knobs() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const char* knob : kKnobs) {
    auto value = os::read_file(AT_FDCWD, std::string("/proc/sys/") + knob, 64);
    if (!value.ok()) continue;
    std::string name = knob;
    for (char& c : name) c = c == '/' ? '.' : c;
    found.emplace_back(name, value.value().substr(0, value.value().find('\n')));
  }
  return found;
}

void print_json(const std::vector<Finding>& findings) {
  constexpr const char* kStates[] = {"ok", "missing", "unknown"};
  JsonText json;
  json.object().number("verdict", verdict(findings)).array("findings");
  for (const Finding& finding : findings) {
    json.object().text("name", finding.name).truth("needed", finding.needed);
    json.text("state", kStates[static_cast<int>(finding.state)]);
    json.text("reason", finding.why.explanation());
    json.text("errno_name", finding.why.code != 0 ? errno_name(finding.why.code) : "");
    json.text("hint", finding.why.hint).text("otherwise", finding.otherwise).close();
  }
  json.close().object("knobs");
  for (const auto& [name, value] : knobs()) json.text(name.c_str(), value);
  json.close().close();
  std::puts(json.str().c_str());
}

}  // namespace

int doctor_verb(int argc, char** argv) {
  set_option_prefix("--");
  const std::string option = argc == 2 ? argv[1] : "";
  if (option == "--help" || option == "-h") {
    std::puts(
        "Usage: rootlet doctor [--json]\n"
        "Tries what runs need of this host: what is there, what is missing, why, what to\n"
        "change.\n\n"
        "Examples:\n"
        "  rootlet doctor\n"
        "  rootlet doctor --json | jq .verdict\n\n"
        "Exit status: 0 runs with the defaults work here, 1 they do not, 125 could not\n"
        "tell.");
    return 0;
  }
  if (argc > 2 || (argc == 2 && option != "--json")) {
    print_error(plain_error("read the command line", "rootlet doctor",
                            argv[1] + std::string(": what is that?"), "rootlet doctor [--json]"));
    return 125;
  }
  const auto findings = examine_host(read_caller(argv[0], environ));
  if (option == "--json") {
    print_json(findings);
    return verdict(findings);
  }
  std::string text = findings_text(findings);
  for (const auto& [name, value] : knobs()) text += "knob " + name + " = " + value + "\n";
  std::fputs(text.c_str(), stdout);
  return verdict(findings);
}

}  // namespace rootlet
