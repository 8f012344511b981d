// SPDX-License-Identifier: MIT
#include "packaging/decide.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "packaging/appdir.hpp"
#include "packaging/assemble.hpp"
#include "packaging/policy_file.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kBuild = "build";

Error no_entry(const Tree& tree, const std::string& source) {
  std::string hint = "add --entry PROGRAM";
  const std::vector<std::string> candidates = candidate_programs(tree, 10);
  if (!candidates.empty()) hint += "; the image holds for example";
  for (const std::string& path : candidates) hint += " " + path;
  return plain_error(kBuild, source, "which of its programs shall run?", hint);
}

// A package may bring a script whose interpreter is only suggested: such a
// command is not offered, and said so.
void drop_unrunnable(Source& source, std::uint16_t machine) {
  const auto cannot_start = [&](const auto& command) {
    Check check(source.tree, machine, source.policy.env);
    const Status status = check.program(command.second);
    if (status.ok()) return false;
    source.notes.push_back("the command " + command.first +
                           " is left out: " + status.error().explanation());
    return true;
  };
  std::erase_if(source.policy.commands, cannot_start);
}

// Of several commands one has to be chosen: by the first argument, unless one
// is the entry.
void settle_dispatch(Policy& policy) {
  if (!policy.entrypoint.empty() || policy.commands.empty()) return;
  if (policy.commands.size() == 1) {
    policy.entrypoint = {policy.commands.front().second};
  } else {
    policy.dispatch = "argument";
  }
}

Result<std::string> read_text(const std::string& path) {
  const int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) return last_error("read the policy", path);
  const os::Fd file(raw);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(raw, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

// The text of a given policy file goes into the image as it was written; what
// else was decided stands behind it.
Result<std::string> policy_text(const BuildRequest& request, const Policy& written,
                                const Policy& decided) {
  const std::string toml = policy_to_toml(decided);
  if (request.policy_file.empty()) return toml;
  std::string text = TRY(read_text(request.policy_file));
  if (toml == policy_to_toml(written)) return text;
  text += "\n# With what the command line and the source of `rootlet build` say:\n";
  std::istringstream lines(toml);
  for (std::string line; std::getline(lines, line);) text += "# " + line + "\n";
  return text;
}

}  // namespace

const std::string& first_program(const Policy& policy) {
  return policy.entrypoint.empty() ? policy.commands.front().second : policy.entrypoint.front();
}

Result<Decided> decide_policy(const BuildRequest& request, Source& source, std::uint16_t machine) {
  Policy policy;
  if (!request.policy_file.empty()) policy = TRY(read_policy_file(request.policy_file));
  const Policy written = policy;
  policy = with_blanks_filled(std::move(policy), request.recipe.policy);
  if (!request.entry.empty()) policy.entrypoint = {request.entry};
  if (!request.name.empty()) policy.name = request.name;
  if (!request.version.empty()) policy.version = request.version;
  if (request.check) drop_unrunnable(source, machine);
  policy = with_blanks_filled(std::move(policy), source.policy);

  const bool appdir = source.kind == Source::Kind::kAppDir;
  settle_dispatch(policy);
  if (policy.entrypoint.empty() && policy.commands.empty()) {
    if (!appdir) return no_entry(source.tree, source.path);
    policy.own_apprun = true;
    policy.entrypoint = {"/AppRun"};
  }
  if (!policy.entrypoint.empty()) {
    const Check lookup(source.tree, machine, policy.env);
    const std::string program = lookup.find_program(policy.entrypoint[0]);
    if (program.empty()) {
      Error error = no_entry(source.tree, policy.entrypoint[0]);
      error.reason = "no such program in the image's PATH directories";
      return error;
    }
    policy.entrypoint[0] = program;
  }
  if (policy.name.empty() && appdir) policy.name = desktop_name(source.tree);
  if (policy.name.empty()) policy.name = name_of(first_program(policy));
  std::string text = TRY(policy_text(request, written, policy));
  return Decided{std::move(policy), std::move(text)};
}

Status check_programs(Check& check, const Policy& policy) {
  if (!policy.entrypoint.empty()) TRY(check.program(policy.entrypoint[0]));
  for (const auto& [name, path] : policy.commands) TRY(check.program(path));
  if (!policy.selftest.empty()) {
    const std::string program = check.find_program(policy.selftest[0]);
    TRY(check.program(program.empty() ? policy.selftest[0] : program));
  }
  return Done{};
}

}  // namespace rootlet::packaging
