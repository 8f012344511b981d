// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/source.hpp"

namespace rootlet::packaging {

// An OCI layout or a `docker save`, whose files were read from PATH: the
// layers put over each other, each compared with its digest.
Result<Source> read_container(Source::Kind kind, const std::string& path, const Tree& files,
                              const std::string& tag, const SourceRequest& request);

}  // namespace rootlet::packaging
