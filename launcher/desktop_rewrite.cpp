// SPDX-License-Identifier: MIT
#include "launcher/desktop_rewrite.hpp"

#include <algorithm>
#include <array>

#include "launcher/exec_line.hpp"
#include "launcher/registration.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kInstall = "install";

// Of the specification, less what starts other programs than Exec:
// DBusActivatable and URL; and Hidden, which would undo it all.
constexpr std::array<std::string_view, 22> kKnown = {"Type",
                                                     "Version",
                                                     "Name",
                                                     "GenericName",
                                                     "NoDisplay",
                                                     "Comment",
                                                     "Icon",
                                                     "OnlyShowIn",
                                                     "NotShowIn",
                                                     "TryExec",
                                                     "Exec",
                                                     "Path",
                                                     "Terminal",
                                                     "Actions",
                                                     "MimeType",
                                                     "Categories",
                                                     "Implements",
                                                     "Keywords",
                                                     "StartupNotify",
                                                     "StartupWMClass",
                                                     "SingleMainWindow",
                                                     "PrefersNonDefaultGPU"};

std::string without_locale(const std::string& key) { return key.substr(0, key.find('[')); }

bool is_known(const std::string& key) {
  const std::string name = without_locale(key);
  return name.starts_with("X-AppImage-") ||
         std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
}

bool is_true(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) {
    return c < 0x80 ? static_cast<char>(std::tolower(c)) : '?';
  });
  return value == "true" || value == "1";
}

bool is_false(const std::string& value) { return !value.empty() && !is_true(value); }

class Rewriting {
 public:
  Rewriting(const DesktopEntry& entry, const std::string& path, const std::string& id)
      : entry_(entry), path_(path), id_(id) {}

  Status check(const std::string& image, bool force) const {
    const auto refuse = [&](std::string_view why, std::string_view hint = "") {
      return plain_error(kInstall, image, why, hint);
    };
    const std::string type = entry_.value("Type");
    if (!type.empty() && type != "Application")
      return refuse("its desktop entry is no application");
    if (entry_.value("Name").empty()) return refuse("its desktop entry has no Name");
    if (entry_.value("Exec").empty()) return refuse("its desktop entry has no Exec");
    if (entry_.value("Icon").find('/') != std::string::npos) {
      return refuse("the Icon of its desktop entry is a path");
    }
    if (!force &&
        (is_false(entry_.value("X-AppImage-Integrate")) || is_true(entry_.value("NoDisplay")))) {
      return refuse("its maker asks not to be integrated", "--force does it all the same");
    }
    return Done{};
  }

  RewrittenEntry rewrite() {
    out_.name = unescaped_value(entry_.value("Name"));
    out_.icon = entry_.value("Icon");
    out_.file_name = kVendor + id_ + "-" + safe_name(out_.name) + ".desktop";
    if (entry_.left_out() > 0) {
      note(std::to_string(entry_.left_out()) + " lines are left out: not valid, or said twice");
    }
    keep_known();
    DesktopEntry::Group& main = *kept_.find(DesktopEntry::kMain);
    if (main.find("Type") == nullptr)
      main.values.insert(main.values.begin(), {"Type", "Application"});
    set_exec(main);
    main.set("TryExec", escaped_value(path_));
    for (DesktopEntry::Group& group : kept_.groups()) {
      if (&group != &main) set_exec(group);
      set_icons(group);
    }
    add_version(main);
    main.set("X-AppImage-Identifier", id_);
    out_.text = kept_.text();
    return std::move(out_);
  }

 private:
  void note(const std::string& text) { out_.notes.push_back("desktop entry: " + text); }

  // The main group, and those of the actions that it lists.
  void keep_known() {
    const auto actions = entry_.list("Actions");
    for (const DesktopEntry::Group& group : entry_.groups()) {
      const bool action =
          group.name.starts_with("Desktop Action ") &&
          std::find(actions.begin(), actions.end(), group.name.substr(15)) != actions.end();
      if (group.name != DesktopEntry::kMain && (!action || group.find("Name") == nullptr)) {
        note("[" + group.name + "] is left out");
        continue;
      }
      kept_.groups().push_back({group.name, {}});
      for (const auto& [key, value] : group.values) {
        if (is_known(key)) {
          kept_.groups().back().values.emplace_back(key, value);
        } else {
          note(key + " is left out");
        }
      }
    }
  }

  void set_exec(DesktopEntry::Group& group) {
    const std::string* value = group.find("Exec");
    std::string why;
    group.set("Exec", exec_with_program(value != nullptr ? *value : "", path_, why));
    if (!why.empty()) note("Exec has " + why + "; what it concerns is left out");
  }

  void set_icons(DesktopEntry::Group& group) {
    const auto values = group.values;  // a copy: keys are added
    for (const auto& [key, value] : values) {
      if (without_locale(key) != "Icon") continue;
      group.set(key, kVendor + id_ + "_" + safe_name(value));
      group.set("X-AppImage-Old-" + key, value);
    }
  }

  void add_version(DesktopEntry::Group& main) {
    const std::string* version = main.find("X-AppImage-Version");
    if (version == nullptr || version->empty()) return;
    const std::string text = *version;
    const auto values = main.values;
    for (const auto& [key, value] : values) {
      if (without_locale(key) != "Name" || value.find(text) != std::string::npos) continue;
      main.set(key, value + " (" + text + ")");
      main.set("X-AppImage-Old-" + key, value);
    }
  }

  const DesktopEntry& entry_;
  const std::string& path_;
  const std::string& id_;
  DesktopEntry kept_;
  RewrittenEntry out_;
};

}  // namespace

Result<RewrittenEntry> rewrite_entry(const DesktopEntry& entry, const std::string& path,
                                     const std::string& id, const std::string& image, bool force) {
  Rewriting rewriting(entry, path, id);
  TRY(rewriting.check(image, force));
  return rewriting.rewrite();
}

}  // namespace rootlet
