// SPDX-License-Identifier: MIT
#include "runtime/run/rules_of_run.hpp"

namespace rootlet {
namespace {

std::string_view next(std::string_view& kept) {
  const std::string_view text = kept.substr(0, kept.find('\0'));
  kept.remove_prefix(std::min(text.size() + 1, kept.size()));
  return text;
}

}  // namespace

Status take_kept_rules(sandbox::Plan& plan, std::string_view kept) {
  // A plan of its own to fill in from: the names mean what they meant at the start.
  sandbox::Plan of_run;
  while (!kept.empty()) {
    const std::string name(next(kept)), text(next(kept));
    if (name == "$CWD") {
      of_run.cwd = text;
    } else if (name == "$HOME") {
      of_run.env.push_back("HOME=" + text);
    } else if (name == "$BIND") {
      sandbox::Place place;
      place.target = text;
      of_run.places.push_back(std::move(place));
    } else {
      Rules rules = TRY(parse_rules(text, name));
      TRY(fill_in(of_run, rules));
      plan.rules.push_back(std::move(rules));
    }
  }
  return Done{};
}

}  // namespace rootlet
