// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "launcher/command_line.hpp"
#include "launcher/configuration.hpp"
#include "launcher/image_trust.hpp"
#include "launcher/updater.hpp"
#include "launcher/verbs.hpp"

namespace rootlet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet update tool.AppImage            from where it says itself\n"
    "  rootlet update --check tool.AppImage    0: up to date, 1: there is a newer one\n"
    "  rootlet update --from new.AppImage tool.AppImage\n"
    "  rootlet update --from https://example.org/tool.AppImage.zsync tool.AppImage\n"
    "\n"
    "What the old file has in common with the new one is not fetched (zsync). The new\n"
    "one takes the old one's place at once; runs of the old one go on. Refused unless\n"
    "told: an older version, another tool, another key than the old one's, or none.\n";

struct UpdateLine {
  UpdateRequest request;
  std::string verify;
  bool check = false, json = false, quiet = false;
};

int fail(const Error& error) {
  print_error(error);
  return error.exit_code;
}

// What the site's and the user's files say of signatures.
Status apply_settings(UpdateLine& line) {
  TRY(configured_options(environ));
  VerifySettings& settings = VerifySettings::of_this_run();
  if (!line.verify.empty()) {
    settings.asked = parse_verify(line.verify);
    if (!settings.asked) {
      return plain_error("read the options", "--verify=" + line.verify, "it is not valid",
                         "--verify=off, warn or require");
    }
  }
  line.request.rules.verify = TRY(settings.mode());
  return Done{};
}

void print_state(const UpdateLine& line, const UpdateState& state, bool updated) {
  if (line.json) {
    const nlohmann::ordered_json json{{"image", line.request.image}, {"newer", state.newer},
                                      {"updated", updated},          {"from", state.from},
                                      {"size", state.size},          {"sha1", state.installed}};
    const auto text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
    return;
  }
  if (line.quiet) return;
  const std::string image = printable(line.request.image);
  if (!state.newer) {
    std::printf("%s: up to date\n", image.c_str());
  } else if (updated) {
    std::printf("%s: updated from %s\n", image.c_str(), printable(state.from).c_str());
  } else {
    std::printf("%s: there is a newer one, %.1f MiB, at %s\n", image.c_str(),
                static_cast<double>(state.size) / (1 << 20), printable(state.from).c_str());
  }
}

int check(const UpdateLine& line) {
  const auto state = look_for_update(line.request);
  if (!state.ok()) return fail(state.error());
  print_state(line, state.value(), false);
  return state.value().newer ? 1 : 0;
}

int update(const UpdateLine& line) {
  const auto updated = update_image(line.request);
  if (!updated.ok()) return fail(updated.error());
  print_state(line, updated.value().state, updated.value().state.newer);
  for (const std::string& note : updated.value().notes) {
    if (!line.quiet) std::fprintf(stderr, "%s\n", note.c_str());
  }
  return 0;
}

}  // namespace

int update_verb(int argc, char** argv) {
  UpdateLine line;
  UpdateRules& rules = line.request.rules;
  CLI::App app("Puts a newer version in the place of an image.", "rootlet update");
  app.footer(kExamples);
  app.add_option("IMAGE", line.request.image, "the file to update")->required();
  app.add_option("--from", line.request.from,
                 "a path or URL, of an image or its .zsync [its update information]");
  app.add_flag("--check", line.check, "only look: 0 up to date, 1 there is a newer one");
  app.add_flag("-b,--backup", line.request.backup, "keep the old file, as IMAGE.zs-old");
  app.add_flag("--allow-downgrade", rules.allow_downgrade, "also an older version, another tool");
  app.add_flag("--allow-key-change", rules.allow_key_change,
               "also signed by another key, or by none");
  app.add_option("--verify", line.verify, "off, warn or require a key you trust [as for run]");
  app.add_option("--patience", line.request.patience,
                 "give up on a server that sends nothing new for SECONDS [60]")
      ->check(CLI::Range(1, 86400));
  app.add_flag("--json", line.json, "as JSON");
  app.add_flag("-q,--quiet", line.quiet, "only errors");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  if (const auto applied = apply_settings(line); !applied.ok()) return fail(applied.error());
  line.request.show = !line.quiet && !line.json && ::isatty(STDERR_FILENO) == 1;
  return line.check ? check(line) : update(line);
}

}  // namespace rootlet
