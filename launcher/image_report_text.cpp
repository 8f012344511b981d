// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "launcher/image_report.hpp"
#include "launcher/shown_text.hpp"
#include "packaging/update_information.hpp"
#include "runtime/image/decompress.hpp"

namespace rootlet {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void add_line(std::string& out, std::string_view label, const std::string& value) {
  if (value.empty()) return;
  out += std::string(label) + ":" + std::string(20 - std::min<std::size_t>(19, label.size()), ' ') +
         shown_text(value) + "\n";
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
  if (!policy.rules.empty()) {
    add_line(out, "rules", "its own, of " + std::to_string(policy.rules.size()) + " bytes");
  }
  add_line(out, "locked", joined(policy.locked));
  for (const Policy::Data& data : policy.data) {
    add_line(out, "data", data.name + " at " + data.path + (data.required ? ", required" : ""));
  }
}

// What is in the image, from texts that need not be what they should be.
nlohmann::json parsed(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() ? json : nlohmann::json(nullptr);
}

// "281 packages: 270 deb, 11 pypi"
std::string packages_text(const nlohmann::json& bill) {
  if (!bill.is_object() || !bill.contains("components") || !bill["components"].is_array())
    return {};
  std::map<std::string, std::size_t> counts;
  for (const auto& component : bill["components"]) {
    const auto url = component.find("purl");
    const std::string text =
        url != component.end() && url->is_string() ? url->get<std::string>() : "";
    if (text.starts_with("pkg:")) ++counts[text.substr(4, text.find('/') - 4)];
  }
  std::string text = std::to_string(bill["components"].size()) + " packages";
  const char* between = ": ";
  for (const auto& [type, count] : counts) {
    text += between + std::to_string(count) + " " + type;
    between = ", ";
  }
  return text;
}

// "debian.AppImage (sha256:...), which has 12345 bytes of it": of one that lies on a base.
std::string base_text(const Policy& policy, const nlohmann::json& build) {
  if (policy.base.name.empty()) return {};
  std::string text = policy.base.name + " (" + policy.base.digest + ")";
  if (build.is_object() && build.contains("base") && build["base"].contains("shared_bytes")) {
    text += ", which has " + build["base"]["shared_bytes"].dump() + " bytes of it";
  }
  return text;
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
  if (!policy.rules.empty()) {
    json["rules"] = nlohmann::json::parse(policy.rules, nullptr, false);
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
  if (!policy.base.name.empty()) {
    json["base"] = {{"name", policy.base.name}, {"digest", policy.base.digest}};
  }
  return json;
}

std::string sizes_of(const std::vector<ImageResource>& files) {
  std::string text;
  for (const ImageResource& file : files) text += (text.empty() ? "" : ", ") + file.path;
  return text;
}

void add_desktop(std::string& out, const ImageReport& report) {
  if (report.desktop) {
    const DesktopEntry& entry = *report.desktop;
    add_line(out, "desktop entry", report.resources.texts.at("desktop").path);
    add_line(out, "desktop name", entry.value("Name"));
    add_line(out, "comment", entry.value("Comment"));
    add_line(out, "categories", entry.value("Categories"));
    add_line(out, "icon", entry.value("Icon"));
    if (entry.value("Terminal") == "true") add_line(out, "terminal", "yes");
  }
  add_line(out, "icon files", sizes_of(report.resources.icons));
  std::string types;
  for (const ImageResource& package : report.resources.packages) {
    for (const std::string& type : mime_types(package)) types += (types.empty() ? "" : ", ") + type;
  }
  add_line(out, "MIME types", types);
}

void add_library(std::string& out, const ImageResources& found) {
  const std::string format = found.fact("libappimage.format");
  if (!found.fact("libappimage.error").empty()) {
    add_line(out, "libappimage", "cannot read it: " + found.fact("libappimage.error"));
  } else if (!format.empty()) {
    add_line(out, "libappimage",
             "reads it as type " + format +
                 (format == "2" ? ", image at " + found.fact("libappimage.offset") : ""));
  }
  for (const std::string& note : found.notes) add_line(out, "note", note);
}

nlohmann::json desktop_json(const ImageReport& report) {
  if (!report.desktop) return nullptr;
  nlohmann::json json = {{"path", report.resources.texts.at("desktop").path}};
  for (const auto& [key, value] : report.desktop->find(DesktopEntry::kMain)->values) {
    json["entry"][key] = value;
  }
  return json;
}

nlohmann::json resources_json(const ImageResources& found) {
  nlohmann::json json;
  json["files"] = std::strtoull(found.fact("files").c_str(), nullptr, 10);
  json["icons"] = nlohmann::json::array();
  for (const ImageResource& icon : found.icons) {
    json["icons"].push_back({{"path", icon.path}, {"size", icon.size}});
  }
  json["mime_packages"] = nlohmann::json::array();
  for (const ImageResource& package : found.packages) {
    json["mime_packages"].push_back({{"path", package.path}, {"types", mime_types(package)}});
  }
  json["notes"] = found.notes;
  const std::string format = found.fact("libappimage.format");
  json["libappimage"] = nullptr;
  if (!format.empty()) {
    json["libappimage"] = {
        {"format", std::atoi(format.c_str())},
        {"offset", std::strtoull(found.fact("libappimage.offset").c_str(), nullptr, 10)}};
  }
  if (!found.fact("libappimage.error").empty()) {
    json["libappimage"]["error"] = found.fact("libappimage.error");
  }
  return json;
}

}  // namespace

std::string report_as_text(const ImageReport& report) {
  std::string out;
  add_line(out, "file", report.path);
  add_line(out, "format", report.format);
  if (report.policy) {
    add_policy(out, *report.policy);
  } else if (!report.resources.fact("has.AppRun").empty()) {
    add_line(out, "entry", "AppRun (not built by rootlet)");
  }
  add_desktop(out, report);
  const nlohmann::json build = parsed(report.build);
  if (report.policy) add_line(out, "lies on", base_text(*report.policy, build));
  add_line(out, "holds", packages_text(parsed(report.bill)));
  add_line(out, "size", std::to_string(report.size));
  if (report.superblock) {
    const Superblock& block = *report.superblock;
    add_line(out, "image",
             std::to_string(block.bytes_used) + " bytes at " + std::to_string(report.offset));
    add_line(out, "compression",
             image::compression_name(block.compression) + ", blocks of " +
                 std::to_string(block.block_size));
    add_line(out, "inodes", std::to_string(block.inodes));
    add_line(out, "image time", std::to_string(block.mkfs_time));
  } else {
    add_line(out, "image", "ISO 9660");
    add_line(out, "files", report.resources.fact("files"));
  }
  add_line(out, "update information", report.update_information);
  if (!report.update_information.empty()) {
    add_line(out, "updates from",
             packaging::describe(packaging::read_update_information(report.update_information)));
  }
  add_line(
      out, "signature",
      report.signatures.empty() ? "none" : joined(report.signatures) + " (rootlet verify judges)");
  add_line(out, "content", report.content);
  add_line(out, "sha256", report.sha256);
  add_line(out, "seal", report.seal.empty() ? "none" : report.seal);
  add_library(out, report.resources);
  return out;
}

std::string report_as_json(const ImageReport& report) {
  nlohmann::json json = resources_json(report.resources);
  json["file"] = report.path;
  json["format"] = report.format;
  json["size"] = report.size;
  json["sha256"] = report.sha256;
  json["image"] = {{"offset", report.offset}};
  if (report.superblock) {
    const Superblock& block = *report.superblock;
    json["image"] = {{"offset", report.offset},
                     {"length", block.bytes_used},
                     {"compression", image::compression_name(block.compression)},
                     {"block_size", block.block_size},
                     {"inodes", block.inodes},
                     {"fragments", block.fragments},
                     {"time", block.mkfs_time}};
  }
  json["policy"] = nullptr;
  if (report.policy) {
    json["policy"] = policy_json(*report.policy);
    json["policy_toml"] = report.policy_text;
  }
  json["content"] = report.content;
  json["build"] = parsed(report.build);
  json["bill_of_materials"] = parsed(report.bill);
  json["update_information"] = report.update_information;
  if (report.seal.empty()) {
    json["seal"] = nullptr;
  } else {
    json["seal"] = report.seal;
  }
  json["updates_from"] =
      packaging::describe(packaging::read_update_information(report.update_information));
  json["signed"] = !report.signatures.empty();
  json["signatures"] = report.signatures;
  json["desktop_name"] = report.desktop ? report.desktop->value("Name") : "";
  json["desktop"] = desktop_json(report);
  // Names from an image need not be UTF-8; JSON has to be.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet
