// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// Where newer versions of an image are found: the text in `.upd_info`, in the
// forms of the AppImage specification (appimage 1.5).
struct UpdateInformation {
  enum class Transport {
    none,    // no text
    zsync,   // zsync|URL
    github,  // gh-releases-zsync|USER|REPO|TAG|GLOB
    pling,   // pling-v1-zsync|PRODUCT|GLOB
    others,  // a form that other tools know
    ended,   // of a service that is no more
    unknown
  };
  Transport transport = Transport::none;
  std::vector<std::string> fields;  // behind the transport's name
  std::string problem;              // why it cannot be used as it is; empty: it can
};

UpdateInformation read_update_information(std::string_view text);

// In a few words, with what is wrong.
std::string describe(const UpdateInformation& information);

// Whether `build` writes it. The error says how it is written.
Status check_update_information(const std::string& text);

}  // namespace rootlet::packaging
