// SPDX-License-Identifier: MIT
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
     [](O& o, V& v) { return set_word(o.reach, "mount", v, kReaches); }, true},
    {"keep", "SECONDS", "how long a shared image server outlives its last run (0: none is shared)",
     [](O& o, V& v) { return set_number(o.keep_seconds, "keep", v); }, true},
    {"attach", "IMAGE[@OFFSET][//SUBDIR]:DST", "show another image inside, read-only", set_attach},
    {"data-path", "DIR", "", [](O&, V&) { return not_here("data-path"); }},
};

}  // namespace

std::span<const OptionRow> options_of_images() { return kRows; }

}  // namespace rootlet
