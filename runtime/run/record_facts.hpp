// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>

#include "runtime/run/run_record.hpp"

// What a record says of a run before it has begun, piece by piece.
namespace rootlet {

std::string utc_text(const timespec& time);  // 2026-11-24T13:22:33.123456Z

void tell_images(JsonText& json, const RunRecord::Facts& facts);
// Program and policy, and what of the plan makes a difference to it.
void tell_tool(JsonText& json, const RunRecord::Facts& facts);
void tell_options(JsonText& json, const Options& options);
// Variables that were set for this run, and those that change what tools do; of
// one that looks like a secret its name alone.
void tell_environment(JsonText& json, const RunRecord::Facts& facts);
void tell_host(JsonText& json, const Caller& caller);

}  // namespace rootlet
