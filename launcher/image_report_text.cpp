// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "launcher/image_report.hpp"
#include "runtime/image/decompress.hpp"

namespace rootlet {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// What came from the image is shown to a terminal: control characters, which
// could move the cursor or worse, appear as "?".
std::string printable(std::string text) {
  for (char& letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) letter = '?';
  }
  return text;
}

void add_line(std::string& out, std::string_view label, const std::string& value) {
  if (value.empty()) return;
  out += std::string(label) + ":" + std::string(20 - std::min<std::size_t>(19, label.size()), ' ') +
         printable(value) + "\n";
}

void add_policy(std::string& out, const Policy& policy) {
  add_line(out, "tool", policy.name + (policy.version.empty() ? "" : " " + policy.version));
  add_line(out, "licence", policy.licence);
  add_line(out, "url", policy.url);
  add_line(out, "entry", policy.own_apprun ? "its own AppRun" : joined(policy.entrypoint));
  add_line(out, "arguments if none", joined(policy.arguments));
  for (const auto& [name, path] : policy.commands) add_line(out, "command", name + " = " + path);
  add_line(out, "dispatch", policy.dispatch);
  add_line(out, "workdir", policy.workdir);
  for (const std::string& entry : policy.env) add_line(out, "environment", entry);
  add_line(out, "self-test", joined(policy.selftest));
  for (const auto& [option, value] : policy.isolation) {
    add_line(out, "asks for", value.empty() ? option : option + "=" + value);
  }
  add_line(out, "locked", joined(policy.locked));
  for (const Policy::Data& data : policy.data) {
    add_line(out, "data", data.name + " at " + data.path + (data.required ? ", required" : ""));
  }
}

nlohmann::json policy_json(const Policy& policy) {
  nlohmann::json json;
  json["name"] = policy.name;
  json["version"] = policy.version;
  json["licence"] = policy.licence;
  json["url"] = policy.url;
  json["entrypoint"] = policy.entrypoint;
  json["arguments"] = policy.arguments;
  json["commands"] = nlohmann::json::object();
  for (const auto& [name, path] : policy.commands) json["commands"][name] = path;
  json["dispatch"] = policy.dispatch;
  json["workdir"] = policy.workdir;
  json["env"] = policy.env;
  json["selftest"] = policy.selftest;
  json["isolation"] = nlohmann::json::array();
  for (const auto& [option, value] : policy.isolation) {
    json["isolation"].push_back({{"option", option}, {"value", value}});
  }
  json["locked"] = policy.locked;
  json["data"] = nlohmann::json::object();
  for (const Policy::Data& data : policy.data) {
    json["data"][data.name] = {{"path", data.path},
                               {"digest", data.digest},
                               {"size", data.size},
                               {"required", data.required}};
  }
  json["own_apprun"] = policy.own_apprun;
  return json;
}

}  // namespace

std::string report_as_text(const ImageReport& report) {
  std::string out;
  add_line(out, "file", report.path);
  add_line(out, "format", report.format);
  if (report.policy) {
    add_policy(out, *report.policy);
  } else {
    add_line(out, "entry", report.format == "squashfs" ? "" : "AppRun (not built by rootlet)");
  }
  add_line(out, "desktop name", report.desktop_name);
  add_line(out, "size", std::to_string(report.size));
  add_line(
      out, "image",
      std::to_string(report.superblock.bytes_used) + " bytes at " + std::to_string(report.offset));
  add_line(out, "compression",
           image::compression_name(report.superblock.compression) + ", blocks of " +
               std::to_string(report.superblock.block_size));
  add_line(out, "inodes", std::to_string(report.superblock.inodes));
  add_line(out, "image time", std::to_string(report.superblock.mkfs_time));
  add_line(out, "update information", report.update_information);
  add_line(out, "signature", report.signature.empty() ? "none" : "present, not verified");
  add_line(out, "sha256", report.sha256);
  return out;
}

std::string report_as_json(const ImageReport& report) {
  nlohmann::json json;
  json["file"] = report.path;
  json["format"] = report.format;
  json["size"] = report.size;
  json["sha256"] = report.sha256;
  json["image"] = {{"offset", report.offset},
                   {"length", report.superblock.bytes_used},
                   {"compression", image::compression_name(report.superblock.compression)},
                   {"block_size", report.superblock.block_size},
                   {"inodes", report.superblock.inodes},
                   {"fragments", report.superblock.fragments},
                   {"time", report.superblock.mkfs_time}};
  if (report.policy) {
    json["policy"] = policy_json(*report.policy);
    json["policy_toml"] = report.policy_text;
  } else {
    json["policy"] = nullptr;
  }
  json["update_information"] = report.update_information;
  json["signed"] = !report.signature.empty();
  json["desktop_name"] = report.desktop_name;
  // Names from an image need not be UTF-8; JSON has to be.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet
