// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/learn/recording.hpp"

// What else comes out of a recording.
namespace rootlet::learn {

// The image's files in the order of their first use, one path a line: what
// `rootlet build --order=FILE` lays out first. Names with a line end are left out.
std::string start_trace(const Recording& recording);

// Of `files` (regular ones of the image) those that the run did not so much as look at,
// one path a line. `kept`: a list of this form of earlier runs; what is not in it was
// touched by one of them. Names with a line end are never listed.
std::string untouched(const Recording& recording, const std::vector<std::string>& files,
                      const std::string* kept);

// A rootlet.toml with the narrowest [isolation] under which this run would have come off,
// and, as comments, what only the caller can give.
std::string proposed_policy(const Recording& recording);

}  // namespace rootlet::learn
