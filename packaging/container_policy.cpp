// SPDX-License-Identifier: MIT
#include <algorithm>

#include "packaging/container_image.hpp"

namespace rootlet::packaging {
namespace {

constexpr const char* kWhere = "the image's configuration";

// The last part of registry/path/NAME:TAG@DIGEST.
std::pair<std::string, std::string> name_and_tag(const std::string& reference) {
  std::string name = reference.substr(0, reference.find('@'));
  std::string tag;
  const std::size_t colon = name.rfind(':');
  if (colon != std::string::npos && name.find('/', colon) == std::string::npos) {
    tag = name.substr(colon + 1);
    name.resize(colon);
  }
  return {name.substr(name.rfind('/') + 1), tag == "latest" ? "" : tag};
}

bool is_shell(const std::string& program) {
  const std::string name = name_of(program);
  return name == "sh" || name == "bash" || name == "ash" || name == "dash" || name == "zsh";
}

// Docker's rule: the command is what follows the entry point, and where there
// is none its first word is the program.
void take_command(const std::vector<std::string>& entry, const std::vector<std::string>& command,
                  Policy& policy, std::vector<std::string>& notes) {
  policy.entrypoint = entry;
  policy.arguments = command;
  if (entry.empty() && !command.empty()) {
    policy.entrypoint = {command.front()};
    policy.arguments.erase(policy.arguments.begin());
    if (is_shell(command.front())) {
      notes.push_back("the image's own command is a shell (" + command.front() +
                      "): --entry PROGRAM makes a tool of it");
    }
  }
  if (policy.entrypoint.empty()) return;
  std::string& program = policy.entrypoint.front();
  if (!program.starts_with('/') && program.find('/') != std::string::npos) {
    const std::string from = policy.workdir.empty() ? "" : policy.workdir;
    program = from + "/" + (program.starts_with("./") ? program.substr(2) : program);
  }
}

void take_labels(const Json& labels, Policy& policy) {
  const auto take = [&](const char* label, std::string& into) {
    const auto found = labels.find(label);
    if (found == labels.end() || !found->is_string()) return;
    std::string text = found->get<std::string>();
    if (text.find('\0') == std::string::npos && !text.empty()) into = std::move(text);
  };
  take("org.opencontainers.image.title", policy.name);
  take("org.opencontainers.image.version", policy.version);
  take("org.opencontainers.image.licenses", policy.licence);
  take("org.opencontainers.image.url", policy.url);
}

std::string keys_of(const Json& object) {
  std::string text;
  for (const auto& item : object.items()) text += (text.empty() ? "" : ", ") + item.key();
  return text;
}

}  // namespace

Result<Policy> policy_of(const ContainerImage& image, std::vector<std::string>& notes) {
  const Json config = json_object(image.configuration, "config");
  Policy policy;
  std::tie(policy.name, policy.version) = name_and_tag(image.reference);
  take_labels(json_object(config, "Labels"), policy);
  policy.workdir = TRY(json_text(config, "WorkingDir", kWhere));
  if (policy.workdir == "/" || !policy.workdir.starts_with('/')) policy.workdir.clear();
  for (std::string& entry : TRY(json_list(config, "Env", kWhere))) {
    if (entry.find('=') == std::string::npos || entry.starts_with('=')) continue;
    policy.env.push_back(std::move(entry));
  }
  take_command(TRY(json_list(config, "Entrypoint", kWhere)), TRY(json_list(config, "Cmd", kWhere)),
               policy, notes);
  const Json volumes = json_object(config, "Volumes");
  for (const auto& volume : volumes.items()) {
    // A private place to write, as `docker run` makes one where none is given.
    if (volume.key().starts_with('/')) policy.isolation.emplace_back("writable", volume.key());
  }
  const std::string user = TRY(json_text(config, "User", kWhere));
  const std::string name = user.substr(0, user.find(':'));
  if (!name.empty() && name != "root" && name != "0") {
    notes.push_back("the image runs its command as the user " + name +
                    "; here it runs as the caller, to whom every file of it appears to belong");
  }
  const std::string ports = keys_of(json_object(config, "ExposedPorts"));
  if (!ports.empty()) {
    notes.push_back("the image listens on " + ports +
                    ": who runs it has to give it a network (--rootlet-net=host)");
  }
  return policy;
}

}  // namespace rootlet::packaging
