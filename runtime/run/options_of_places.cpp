// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"

// What of the host is shown, and where; what may be written.
namespace rootlet {
namespace {

constexpr std::array<std::pair<std::string_view, Profile>, 3> kProfiles{
    {{"isolated", Profile::isolated},
     {"contained", Profile::contained},
     {"compat", Profile::compat}}};

Status set_bind(Options& options, const std::string& value) {
  constexpr std::string_view kForm = "SRC[:DST[:ro|rw]]";
  const std::vector<std::string> parts = split_escaped(value, ':');
  if (parts.size() > 3 || parts[0].empty()) return invalid_value("bind", value, kForm);
  Bind bind{parts[0], parts.size() > 1 && !parts[1].empty() ? parts[1] : "", {}};
  if (!bind.target.empty() && bind.target[0] != '/') {
    return invalid_value("bind", value, "SRC:/ABSOLUTE/PATH");
  }
  if (parts.size() == 3) {
    if (parts[2] != "ro" && parts[2] != "rw") return invalid_value("bind", value, kForm);
    bind.writable = parts[2] == "rw";
  }
  options.binds.push_back(std::move(bind));
  return Done{};
}

Status set_size(Options& options, const std::string& value) {
  std::size_t digits = 0;
  while (digits < value.size() && value[digits] >= '0' && value[digits] <= '9') ++digits;
  const std::string_view unit = std::string_view(value).substr(digits);
  const bool known = unit.empty() || unit == "k" || unit == "K" || unit == "m" || unit == "M" ||
                     unit == "g" || unit == "G" || unit == "%";
  if (digits == 0 || !known) return invalid_value("tmp", value, "SIZE[k|m|g|%]");
  options.tmp_size = value;
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
    {"bind-args", "", "", [](O&, V&) { return not_here("bind-args"); }},
    {"writable", "PATH", "a scratch place over the image, gone at the end",
     [](O& o, V& v) { return add_path(o.scratch, "writable", v); }},
    {"overlay", "none|tmpfs|DIR", "", [](O&, V&) { return not_here("overlay"); }},
    {"tmp", "SIZE", "the size of the private /tmp (25% of memory)", set_size},
    {"home", "DIR|none", "a host directory as the home, or none",
     [](O& o, V& v) -> Status {
       o.home = v;
       return Done{};
     }},
    {"cwd", "DIR", "where the tool starts (a path inside)",
     [](O& o, V& v) { return set_inside(o.cwd, "cwd", v); }},
    {"nv", "", "", [](O&, V&) { return not_here("nv"); }},
    {"rocm", "", "", [](O&, V&) { return not_here("rocm"); }},
    {"gui", "", "", [](O&, V&) { return not_here("gui"); }},
};

}  // namespace

std::span<const OptionRow> options_of_places() { return kRows; }

}  // namespace rootlet
