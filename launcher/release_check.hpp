// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/image_check.hpp"
#include "launcher/release.hpp"

namespace rootlet {

// Each tool that a release pins, found and looked into as `rootlet check` does, its
// data with it; and what the release itself shows to them.
std::vector<CheckedImage> check_release(const Release& release, const CheckRequest& request);

}  // namespace rootlet
