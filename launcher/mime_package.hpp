// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/image_resources.hpp"

namespace rootlet {

// A MIME package (Shared MIME-info Database 0.21) written anew from what the
// examiner parsed: known elements and attributes, nothing else. Left out, and
// noted: what would take files of others away (patterns that match anything,
// deletions of what is known). Errors: broken, no type in it.
Result<std::string> mime_package_text(const ImageResource& package,
                                      std::vector<std::string>& notes);

}  // namespace rootlet
