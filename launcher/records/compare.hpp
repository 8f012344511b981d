// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/records/path_names.hpp"
#include "launcher/records/record.hpp"

namespace rootlet::records {

// What tells one run from another.
struct Difference {
  enum class Kind {
    made_of,  // images, arguments, options, inputs: another run
    result,   // outputs, and how it ended
    place     // when, where and by whom: the same run elsewhere
  };
  Kind kind;
  std::string what;
  std::string before, after;  // "": not there
};

// Paths in the caller's directory, in his home, and of images with a digest are
// compared by what they stand for. `places`: more of the second run's, each with
// what it stands for in the first.
std::vector<Difference> differences(const Json& first, const Json& second,
                                    const Places& places = {});

// No difference of these kinds.
bool same(const std::vector<Difference>& found, std::initializer_list<Difference::Kind> kinds);

std::string differences_as_text(const std::vector<Difference>& found);
std::string differences_as_json(const std::vector<Difference>& found);

}  // namespace rootlet::records
