// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/payload/seal.hpp"

namespace rootlet::packaging {

// Computes the seal of a squashfs and writes its page and tree behind it (see
// runtime/payload/seal.hpp). Reads the squashfs once, with several threads.
Result<Seal> seal_image(const Payload& payload, const std::string& name, unsigned threads);

}  // namespace rootlet::packaging
