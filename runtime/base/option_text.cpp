// SPDX-License-Identifier: MIT
#include "runtime/base/option_text.hpp"

namespace rootlet {
namespace {

std::string_view prefix = "--rootlet-";

}  // namespace

void set_option_prefix(std::string_view text) { prefix = text; }

std::string option_text(std::string_view name) { return std::string(prefix) + std::string(name); }

}  // namespace rootlet
