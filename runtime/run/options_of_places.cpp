// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"

// What of the host is shown, and where; what may be written.
namespace rootlet {
namespace {

constexpr std::array<std::pair<std::string_view, Profile>, 3> kProfiles{
    {{"isolated", Profile::isolated},
     {"contained", Profile::contained},
     {"compat", Profile::compat}}};

// "SRC[:DST[:ro|rw]]", or several of it with commas between.
Status set_bind(Options& options, const std::string& value) {
  constexpr std::string_view kForm = "SRC[:DST[:ro|rw]][,...]";
  for (const std::string& text : split_unescaped(value, ',')) {
    const std::vector<std::string> parts = split_escaped(text, ':');
    if (parts.size() > 3 || parts[0].empty()) return invalid_value("bind", value, kForm);
    Bind bind{parts[0], parts.size() > 1 ? parts[1] : "", {}};
    if (!bind.target.empty() && bind.target[0] != '/') {
      return invalid_value("bind", value, "SRC:/ABSOLUTE/PATH");
    }
    if (parts.size() == 3) {
      if (parts[2] != "ro" && parts[2] != "rw") return invalid_value("bind", value, kForm);
      bind.writable = parts[2] == "rw";
    }
    options.binds.push_back(std::move(bind));
  }
  return Done{};
}

Status set_bind_args(Options& options, const std::string& value) {
  if (!value.empty() && value != "ro" && value != "rw") {
    return unknown_word("bind-args", value, {"ro", "rw"});
  }
  options.bind_args = value == "rw";
  return Done{};
}

// A path where a word could stand too is known by its slash, so that a
// mistyped word is no new directory.
bool is_path(const std::string& value) { return value.find('/') != std::string::npos; }

Status set_overlay(Options& options, const std::string& value) {
  constexpr std::string_view kMemory = "tmpfs";
  const bool memory = value == kMemory || value.starts_with("tmpfs:");
  const std::string size = memory && value != kMemory ? value.substr(kMemory.size() + 1) : "";
  if (value == "none") {
    options.overlay.reset();
  } else if (memory && (value == kMemory || is_size(size))) {
    options.overlay = Layer{"", size};
  } else if (!memory && is_path(value)) {
    options.overlay = Layer{value, ""};
  } else {
    return invalid_value("overlay", value, "none|tmpfs[:SIZE[k|m|g|%]]|/DIR|./DIR");
  }
  return Done{};
}

Status set_tmp(Options& options, const std::string& value) {
  options.tmp_size.reset();
  options.tmp_directory.reset();
  if (is_path(value)) {
    options.tmp_directory = value;
  } else if (is_size(value)) {
    options.tmp_size = value;
  } else {
    return invalid_value("tmp", value, "SIZE[k|m|g|%]|/DIR|./DIR");
  }
  return Done{};
}

Status set_home(Options& options, const std::string& value) {
  if (value.empty()) return invalid_value("home", value, "DIR|none");
  options.home = value;
  return Done{};
}

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"profile", "isolated|contained|compat", "the set of defaults (contained)",
     [](O& o, V& v) { return set_word(o.profile, "profile", v, kProfiles); }},
    {"bind", "SRC[:DST[:ro|rw]]", "show a host path inside", set_bind},
    {"input", "PATH", "show a host path inside, read-only",
     [](O& o, V& v) { return add_path(o.inputs, "input", v); }},
    {"output", "DIR", "show a host directory inside, writable",
     [](O& o, V& v) { return add_path(o.outputs, "output", v); }},
    {"bind-args", "[rw]", "show the directories of paths among the arguments", set_bind_args},
    {"writable", "PATH", "a scratch place over the image, gone at the end",
     [](O& o, V& v) { return add_inside(o.scratch, "writable", v); }},
    {"overlay", "none|tmpfs[:SIZE]|DIR", "a writable layer over the whole root", set_overlay},
    {"tmp", "SIZE|DIR", "the size of the private /tmp (25% of memory), or where it lies", set_tmp},
    {"home", "DIR|none", "a host directory as the home, or none", set_home},
    {"cwd", "DIR", "where the tool starts (a path inside)",
     [](O& o, V& v) { return set_inside(o.cwd, "cwd", v); }},
    {"nv", "", "NVIDIA GPUs: devices and driver libraries, read-only", raise<&Options::nv>},
    {"rocm", "", "AMD GPUs: devices and driver libraries, read-only", raise<&Options::rocm>},
    {"gui", "", "the sockets of X11, Wayland and the session bus", raise<&Options::gui>},
};

}  // namespace

std::span<const OptionRow> options_of_places() { return kRows; }

}  // namespace rootlet
