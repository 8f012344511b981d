// SPDX-License-Identifier: MIT
#include <cstdio>
#include <string>

#include "launcher/command_line.hpp"
#include "launcher/image_report.hpp"
#include "launcher/verbs.hpp"

namespace rootlet {

int inspect_verb(int argc, char** argv) {
  std::string image;
  bool json = false;
  CLI::App app("Shows what a packed file is made of, without running any of it.",
               "rootlet inspect");
  app.add_option("IMAGE", image, "an AppImage, ours or not, a squashfs, or JAR!/ENTRY")->required();
  app.add_flag("--json", json, "as JSON, with every field");
  app.footer(
      "Examples:\n  rootlet inspect tool.AppImage\n"
      "  rootlet inspect tool.AppImage --json | jq .policy.entrypoint\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const auto report = read_report(image);
  if (!report.ok()) {
    print_error(report.error());
    return report.error().exit_code;
  }
  const std::string text = json ? report_as_json(report.value()) : report_as_text(report.value());
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace rootlet
