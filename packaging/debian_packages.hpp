// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What the installed packages of these names say of the tool: the programs
// that they put on PATH, by themselves or through an alternative, as commands;
// the one that is named like a package as the entry; version and home page of
// the first. Names only, without version.
Policy describe_packages(const Tree& root, const std::vector<std::string>& packages);

// The package is among those that dpkg has installed in the root.
bool is_installed(const Tree& root, const std::string& package);

// Takes out of an installed root what the installation left: it differs from
// run to run, tells of the host, or is of no use to a tool. Owners and set-id
// bits go too; inside an image neither has an effect.
// The day in /etc/shadow becomes that of TIME.
void remove_traces(Tree& root, std::int64_t time);

}  // namespace rootlet::packaging
