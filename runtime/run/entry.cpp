// SPDX-License-Identifier: MIT
#include "runtime/run/make_plan.hpp"

namespace rootlet {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
}

const std::string* command_named(const Policy& policy, const std::string& name) {
  for (const auto& [command, path] : policy.commands) {
    if (command == name) return &path;
  }
  return nullptr;
}

Entry plain(const std::string& program, const std::vector<std::string>& arguments) {
  Entry entry{program, {program}, {}};
  entry.argv.insert(entry.argv.end(), arguments.begin(), arguments.end());
  return entry;
}

}  // namespace

Entry choose_entry(const Options& options, const Policy& policy, const Caller& caller,
                   const std::vector<std::string>& arguments) {
  if (options.shell) return plain("/bin/sh", arguments);
  if (options.exec) {
    const std::string* command = command_named(policy, *options.exec);
    return plain(command != nullptr ? *command : *options.exec, arguments);
  }
  if (const std::string* command = command_named(policy, base_name(caller.argv0))) {
    return plain(*command, arguments);
  }
  if (policy.dispatch == "argument" && !policy.commands.empty()) {
    const std::string* command =
        arguments.empty() ? nullptr : command_named(policy, arguments.front());
    if (command != nullptr) return plain(*command, {arguments.begin() + 1, arguments.end()});
    if (policy.entrypoint.empty()) {
      Entry entry = plain(arguments.empty() ? "" : arguments.front(), {});
      for (const auto& [name, path] : policy.commands) entry.listing.push_back(name);
      return entry;
    }
  }
  if (policy.own_apprun || policy.entrypoint.empty()) {
    Entry entry = plain("/AppRun", arguments);
    entry.argv[0] = caller.argv0;  // an AppDir's AppRun knows itself by it
    return entry;
  }
  std::vector<std::string> rest(policy.entrypoint.begin() + 1, policy.entrypoint.end());
  const std::vector<std::string>& last = arguments.empty() ? policy.arguments : arguments;
  rest.insert(rest.end(), last.begin(), last.end());
  return plain(policy.entrypoint.front(), rest);
}

}  // namespace rootlet
