// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/error.hpp"
#include "runtime/base/json_text.hpp"

namespace rootlet {

// How a run ended, in the fields that its status and its record share: code,
// signal, signal_name; action, subject, reason, errno, errno_name, hint.
void tell_end(JsonText& json, int wait_status);
// `most`: no text becomes longer than so many bytes of JSON.
void tell_error(JsonText& json, const Error& error, std::size_t most = ~std::size_t{0});

// So short that its JSON has at most so many bytes.
std::string bounded(std::string text, std::size_t most);

}  // namespace rootlet
