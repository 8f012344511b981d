// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "examiner/archive.hpp"

// What can be asked of rootlet-examiner: each job writes frames and ends.
namespace rootlet::examiner {

using Words = std::vector<std::string>;

// list deep|flat [PATH]...: what lies in the image, or in these directories of it.
Status list(Archive& archive, const Words& words, FrameWriter& out);

// read PATH...: the bytes of regular files, symlinks followed inside of the image.
Status read(Archive& archive, const Words& words, FrameWriter& out);

// unpack [PATTERN]...: all, or what matches, each with its bytes.
Status unpack(Archive& archive, const Words& words, FrameWriter& out);

// look brief|full whole|part: what says something about the image: policy, desktop
// member, icons, MIME packages. `whole`: libappimage is asked, too.
Status look(Archive& archive, const Words& words, FrameWriter& out);

// render [SIZE]...: the file is a PNG or an SVG. Decodes all of it, says what it
// is, and draws it as PNGs of these sizes.
Status render(const Words& words, FrameWriter& out);

// A MIME package (shared-mime-info) as elements: "open NAME", "attribute NAME
// VALUE", "text VALUE", "close".
Status read_mime_package(const std::string& text, FrameWriter& out);

}  // namespace rootlet::examiner
