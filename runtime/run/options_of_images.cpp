// SPDX-License-Identifier: MIT
#include <cstdlib>

#include "runtime/image/server.hpp"
#include "runtime/run/kept_image.hpp"
#include "runtime/run/option_rows.hpp"

// How the image, and other images, are reached.
namespace rootlet {
namespace {

constexpr std::array<std::pair<std::string_view, Reach>, 5> kReaches{
    {{"auto", Reach::automatic},
     {"share", Reach::share},
     {"private", Reach::private_server},
     {"extract", Reach::extract},
     {"kernel", Reach::kernel}}};

Status set_attach(Options& options, const std::string& value) {
  constexpr std::string_view kForm = "IMAGE[@OFFSET][//SUBDIR]:/ABSOLUTE/PATH";
  const std::vector<std::string> parts = split_escaped(value, ':');
  if (parts.size() != 2 || parts[0].empty() || !parts[1].starts_with('/')) {
    return invalid_value("attach", value, kForm);
  }
  if (parts[1].find_first_not_of('/') == std::string::npos) {
    return plain_error("read the options", option_text("attach") + "=" + value,
                       "it cannot take the place of /", "to run the image: rootlet run IMAGE");
  }
  options.attachments.push_back({parts[0], parts[1]});
  return Done{};
}

// "a,\"b,c\"" is "a" and "b,c", as Docker and Apptainer read it.
std::vector<std::string> mount_fields(const std::string& value) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"') {
      quoted = !quoted;
    } else if (value[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      if (value[i] == '\\' && i + 1 < value.size()) ++i;
      fields.back() += value[i];
    }
  }
  return fields;
}

// "type=bind,src=...,dst=...[,ro]" takes any path; "type=tmpfs,dst=...".
Status set_mount(Options& options, const std::string& value) {
  constexpr std::string_view kForm = "type=bind,src=PATH,dst=/PATH[,ro|rw]";
  std::string type, source, target;
  std::optional<bool> writable;
  for (const std::string& field : mount_fields(value)) {
    const std::size_t equals = field.find('=');
    const std::string key = field.substr(0, equals);
    const std::string text = equals == std::string::npos ? "" : field.substr(equals + 1);
    if (key == "type") {
      type = text;
    } else if (key == "src" || key == "source") {
      source = text;
    } else if (key == "dst" || key == "destination" || key == "target") {
      target = text;
    } else if ((key == "ro" || key == "readonly" || key == "rw") &&
               (text.empty() || text == "true")) {
      writable = key == "rw";
    } else {
      return invalid_value("mount", value, kForm);
    }
  }
  const bool bind = type == "bind" && !source.empty() && (target.empty() || target[0] == '/');
  const bool memory =
      type == "tmpfs" && source.empty() && !target.empty() && target[0] == '/' && !writable;
  if (bind) options.binds.push_back({source, target, writable});
  if (memory) options.scratch.push_back(target);
  if (!bind && !memory)
    return invalid_value("mount", value, std::string(kForm) + " or type=tmpfs,dst=/PATH");
  return Done{};
}

Result<std::uint64_t> bytes_of(const char* name, const std::string& value) {
  constexpr std::string_view kUnits = " kmg";
  if (!is_size(value) || value.back() == '%') return invalid_value(name, value, "SIZE[k|m|g]");
  char* unit = nullptr;
  const std::uint64_t number = std::strtoull(value.c_str(), &unit, 10);
  const std::size_t power = *unit == '\0' ? 0 : kUnits.find(static_cast<char>(*unit | 0x20));
  return number << 10 * power;
}

// These two of this process, not of its Options: they bound what all runs keep, and
// what each image server does.
Status set_cache(Options&, const std::string& value) {
  kept_limit() = TRY(bytes_of("cache", value));
  return Done{};
}

Status set_server_cache(Options&, const std::string& value) {
  const std::uint64_t bytes = TRY(bytes_of("server-cache", value));
  if (bytes > image::kMostCache) return invalid_value("server-cache", value, "at most 512m");
  image::cache_limit() = bytes;
  return Done{};
}

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"image", "FILE[@OFFSET[:LENGTH]]|JAR!/ENTRY", "run an image that lies elsewhere",
     [](O& o, V& v) -> Status {
       o.image = v;
       return Done{};
     },
     true},
    {"mount", "auto|share|private|extract|kernel", "how the image is reached",
     [](O& o, V& v) {
       return v.starts_with("type=") ? set_mount(o, v) : set_word(o.reach, "mount", v, kReaches);
     },
     true},
    {"keep", "SECONDS", "how long a shared image server outlives its last run (0: none is shared)",
     [](O& o, V& v) { return set_number(o.keep_seconds, "keep", v); }, true},
    {"cache", "SIZE", "how much unpacked images may take that are kept for later runs (0: none)",
     set_cache, true},
    {"server-cache", "SIZE", "decoded blocks that an image server keeps at most (16m)",
     set_server_cache, true},
    {"attach", "IMAGE[@OFFSET][//SUBDIR]:DST", "show another image inside, read-only", set_attach},
    {"data-path", "DIR", "look there for the image's base and named data",
     [](O& o, V& v) -> Status {
       if (v.empty()) return invalid_value("data-path", v, "DIR");
       o.data_paths.push_back(v);
       return Done{};
     }},
};

}  // namespace

std::span<const OptionRow> options_of_images() { return kRows; }

}  // namespace rootlet
