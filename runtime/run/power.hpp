// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/option_text.hpp"

namespace rootlet {

// What an option can give a run, by which its values are compared: what an
// image may say unasked, and what a lock allows, follow from it.
struct Power {
  enum class Kind {
    unknown,   // nobody has judged it: as the next but one
    harmless,  // nothing of the host, whatever its value
    gives,     // something of the host, whatever its value
    words,     // a word of `scale`, which goes from the strictest to the widest
    amount,    // a number or a size: less is stricter, none is unlimited
    narrows,   // something less, whatever its value: but for "none", which gives that up
    callers,   // about one run, for who starts it: never in an image
  };
  Kind kind = Kind::unknown;
  const char* scale = "";     // words: "none private host"
  const char* standard = "";  // what `isolated` and `contained` give
  const char* compat = "";    // what `compat` gives, where that is more

  std::string_view given_by(Profile profile) const {
    return profile == Profile::compat && *compat != '\0' ? compat : standard;
  }
};
Power power_of(std::string_view option);

// Given again, it does not replace what was said.
bool adds_up(std::string_view option);

// True when `value` gives more than `bound`. An empty bound of an amount: there
// is none.
bool wider(const Power& power, std::string_view value, std::string_view bound);

}  // namespace rootlet
