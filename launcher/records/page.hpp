// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/records/record.hpp"

namespace rootlet::records {

// A record for people: a screen or so.
std::string page_of(const Record& record);

}  // namespace rootlet::records
