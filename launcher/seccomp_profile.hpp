// SPDX-License-Identifier: MIT
#pragma once

namespace rootlet {

// Lets seccomp=FILE take OCI profiles (the JSON of Docker's --security-opt
// seccomp=), compiled by libseccomp. A rule that depends on a capability is
// taken as for a container without any. What would make the filter weaker than
// the profile says, such as a call to refuse that libseccomp does not know, is
// an error.
void take_seccomp_profiles();

}  // namespace rootlet
