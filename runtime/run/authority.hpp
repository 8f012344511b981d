// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/policy/policy.hpp"
#include "runtime/run/options.hpp"

// Who may say what. From strong to weak: a lock of the site, the command line,
// the environment, the user's file, the site's defaults, the image's policy,
// the profile.
namespace rootlet {

// Refuses what the user said against a lock of the site's file.
Status obey_locks(Options& options);

// Adds what the image's policy says to what the user said. The user wins; the
// policy may narrow; what it asks for beyond the profile in force is refused
// with the option that the user can type, unless the user gave just that.
Status apply_policy(Options& options, const Policy& policy);

// True when `value` gives a run more than the default of its profile.
bool widens(std::string_view option, const std::string& value, Profile profile);

}  // namespace rootlet
