// SPDX-License-Identifier: MIT
#include "packaging/appdir.hpp"

#include <sstream>

#include "packaging/icon.hpp"
#include "packaging/metainfo.hpp"
#include "packaging/notice.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kAdd = "add AppRun";
constexpr std::uint64_t kMaximumDesktop = 1 << 20;

bool has_desktop_file(const Tree& tree) {
  for (const auto& [name, node] : tree.root().children) {
    if (name.ends_with(".desktop")) return true;
  }
  return false;
}

// Each part of the path is a directory, or missing: nothing is put through a
// symlink.
bool may_hold(const Tree& tree, const std::string& path) {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const NodePtr node = tree.find(path.substr(0, end));
    if (node && !node->is_directory()) return false;
    if (end == std::string::npos) return true;
  }
}

Result<std::string> read_program(const std::string& path) {
  const int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) return last_error(kAdd, path);
  const os::Fd file(raw);
  const off_t size = ::lseek(raw, 0, SEEK_END);
  if (size < 0) return last_error(kAdd, path);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (::pread(raw, bytes.data(), bytes.size(), 0) != size) return last_error(kAdd, path);
  return bytes;
}

// Relative, so that it works under any runtime's mount point.
NodePtr entry_symlink(const Policy& policy, std::int64_t time) {
  const std::string& program =
      policy.entrypoint.empty() ? policy.commands.front().second : policy.entrypoint.front();
  return make_symlink(program.substr(1), time);
}

// Desktop entries escape what would end a value. desktop-entry-spec, 1.5.
std::string desktop_escape(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\')
      out += "\\\\";
    else if (letter == '\n')
      out += "\\n";
    else
      out += letter;
  }
  return out;
}

std::string desktop_file(const Policy& policy, const std::string& id) {
  std::string text = "[Desktop Entry]\nType=Application\n";
  text += "Name=" + desktop_escape(policy.name) + "\n";
  text += "Exec=" + id + "\nIcon=" + id + "\n";
  text += "Categories=Utility;\nTerminal=true\n";
  if (!policy.version.empty()) {
    text += "X-AppImage-Version=" + desktop_escape(policy.version) + "\n";
  }
  return text;
}

Status add_desktop_and_icon(Tree& tree, const AppDirParts& parts) {
  const std::string id = file_name_of(parts.policy.name);
  if (!has_desktop_file(tree)) {
    TRY(tree.put(id + ".desktop", make_file(desktop_file(parts.policy, id), 0644, parts.time)));
    bool icon = false;
    for (const char* ending : {".png", ".svg", ".xpm"}) icon = icon || tree.find(id + ending);
    if (!icon) TRY(tree.put(id + ".png", make_file(make_icon(id), 0644, parts.time)));
    // An AppDir with a desktop file of its own says of itself what it wants.
    Metainfo metainfo = metainfo_of(parts.policy, id);
    if (may_hold(tree, parent_of(metainfo.path))) {
      TRY(tree.put(metainfo.path, make_file(std::move(metainfo.text), 0644, parts.time)));
    }
  }
  if (!tree.find(".DirIcon")) {
    TRY(tree.put(".DirIcon", make_file(make_icon(id), 0644, parts.time)));
  }
  return Done{};
}

}  // namespace

Status add_appdir_parts(Tree& tree, const AppDirParts& parts) {
  if (!parts.policy.own_apprun) {
    NodePtr apprun;
    if (parts.apprun_file.empty()) {
      apprun = entry_symlink(parts.policy, parts.time);
    } else {
      apprun = make_file(TRY(read_program(parts.apprun_file)), 0755, parts.time);
    }
    TRY(tree.put("AppRun", std::move(apprun)));
  }
  TRY(add_desktop_and_icon(tree, parts));
  TRY(tree.put(".rootlet", make_directory(0755, parts.time)));
  const auto add = [&](std::string_view path, std::string bytes) {
    return tree.put(path, make_file(std::move(bytes), 0644, parts.time));
  };
  TRY(add(kPolicyPath, encode_policy(parts.policy)));
  TRY(add(".rootlet/policy.toml", parts.policy_toml));
  TRY(add(".rootlet/build.json", parts.build_json));
  return add(".rootlet/NOTICE", std::string(kNotice));
}

bool adds_to_entry(const Policy& policy) {
  return policy.entrypoint.size() != 1 || !policy.env.empty() || !policy.arguments.empty() ||
         !policy.commands.empty() || !policy.workdir.empty();
}

std::string desktop_name(const Tree& tree) {
  for (const auto& [name, node] : tree.root().children) {
    if (!name.ends_with(".desktop") || !node->is_file() || node->size > kMaximumDesktop) continue;
    auto content = node->content.open();
    std::string text(node->size, '\0');
    if (!content.ok() || !content.value().read_at(0, text.data(), text.size()).ok()) return {};
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Name=")) return line.substr(5);
    }
  }
  return {};
}

std::string file_name_of(const std::string& name) {
  constexpr std::string_view kKept =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
  std::string out = name;
  for (char& letter : out) {
    if (kKept.find(letter) == std::string_view::npos) letter = '_';
  }
  if (out.empty() || out[0] == '.' || out[0] == '-') out = "_" + out;
  return out;
}

}  // namespace rootlet::packaging
