// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/records/record.hpp"

namespace rootlet::records {

// The image that a recorded run was made of, as `rootlet run` takes it: `given`,
// or where it was, or wherever data is looked for, by its digest. Errors: there
// is none of this digest. One without a digest is taken by its name.
Result<std::string> find_same_image(const Json& record, const std::string& given);

}  // namespace rootlet::records
