// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace rootlet::packaging {

// /.rootlet/NOTICE of every image: whose code the stub in front of it holds.
inline constexpr std::string_view kNotice =
    R"(The program at the front of this file is the rootlet stub (MIT licence).
It is linked statically with

  GNU C library      LGPL-2.1-or-later
  libfuse 3          LGPL-2.1 (the library part)
  libstdc++, libgcc  GPL-3.0-or-later with the GCC Runtime Library Exception 3.1
  squashfuse         BSD-2-Clause
  zstd               BSD-3-Clause
  libdeflate         MIT 
  liblzma (xz)       public domain

/AppRun inside the image, where it is ours, is rootlet-apprun (MIT licence),
linked statically with musl (MIT licence), or with the GNU C library where musl
was not at hand.

Relinking: for the parts under the LGPL you may use versions of your own. The
stub's complete source and the scripts that build it (scripts/setup,
scripts/build) are published with the project; put your static libraries in the
compiler's way, run scripts/build, and pack again with
"rootlet build --stub build/rootlet-stub", or replace the stub in place: the
image behind it begins where --rootlet-inspect says.

The packed tool and its files are under licences of their own; see the image,
usually /usr/share/doc/*/copyright.
)";

}  // namespace rootlet::packaging
