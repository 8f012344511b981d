// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/source.hpp"

namespace rootlet::packaging {

// An environment that conda, mamba or micromamba made: its files hold its
// path, so it lies in the image at the path that it has on the host, or, where
// a run hides that (a home, /tmp), relocated to /opt/NAME. Its commands are the
// programs of the packages that were asked for.
Result<Source> read_conda_prefix(const std::string& path, Tree files);

// An environment is made from an explicit lock file or an environment.yml by
// the client that the host has, in a run of our own; only the client's own
// fetching of packages has the network.
Result<Source> read_conda_file(const std::string& path, const SourceRequest& request);

}  // namespace rootlet::packaging
