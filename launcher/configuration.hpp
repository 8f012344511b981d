// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/options.hpp"

namespace rootlet {

// What is said before the command line is read: by the site's file, the user's
// file and the environment, each over the one before. A file that does not
// exist says nothing; one that others could have written is refused.
Result<Options> configured_options(char** environment);

// One file of settings: the part of TOML that options need.
//
//   [isolation]
//   profile = "contained"          # text, a number, true
//   bind = ["/scratch", "/data:/data:ro"]
//   locked = ["profile"]           # the site's alone
//   [trust]
//   verify = "require"             # off, warn, require: of the site, at least that
//   minimum = ["hmmer 3.4"]        # no older one, however well it is signed
//   keys = "site"                  # the site's alone: users' own keys do not count
struct ConfigurationFile {
  struct Line {
    std::string name;
    std::string value;
    bool is_flag = false;  // true or false was written
    int number = 0;
  };
  std::vector<Line> settings;
  std::vector<std::string> locked;
  std::vector<Line> trust;
};
Result<ConfigurationFile> parse_configuration(std::string_view text, const std::string& file);

// Takes up what a file says.
Status apply_configuration(Options& options, const ConfigurationFile& content,
                           const std::string& file, Origin origin);

}  // namespace rootlet
