// SPDX-License-Identifier: MIT
#pragma once

namespace rootlet {

// Lets the image code of this program read lzo images. Only the command can:
// liblzo2 is under the GPL and so in no packaged file.
void add_lzo_images();

}  // namespace rootlet
