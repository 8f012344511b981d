// SPDX-License-Identifier: MIT
#pragma once

namespace rootlet {

// Executes rootlet-tools with these arguments, the verb's name first. It lies
// beside this program, or in ../libexec/rootlet. Returns only on failure (125).
int run_tools(char** argv);

}  // namespace rootlet
