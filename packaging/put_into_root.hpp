// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/source.hpp"

namespace rootlet::packaging {

// Gives a source a root of another one. An AppDir or AppImage goes to
// /opt/NAME, where its own AppRun stays the entry; everything else is laid
// over the root, and what both have is the source's. MACHINE is the stub's.
Result<Source> put_into_root(Source source, Source root, std::uint16_t machine);

}  // namespace rootlet::packaging
