// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/source.hpp"

namespace rootlet::packaging {

// The files of another AppImage (type 2), or of a bare squashfs. Its program
// in front is never executed. One of ours keeps its policy.
Result<Source> read_appimage(const std::string& path, const SourceRequest& request);

}  // namespace rootlet::packaging
