// SPDX-License-Identifier: MIT
#include "launcher/tools_program.hpp"

#include <unistd.h>

#include <string>

#include "runtime/base/error.hpp"

namespace rootlet {

int run_tools(char** argv) {
  char own[4096];
  const ssize_t length = ::readlink("/proc/self/exe", own, sizeof own);
  const std::string path(own, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::string directory = path.substr(0, path.rfind('/'));
  for (const char* where : {"/rootlet-tools", "/../libexec/rootlet/rootlet-tools"}) {
    ::execv((directory + where).c_str(), argv);
  }
  print_error(last_error("run", directory + "/rootlet-tools",
                         "install it beside rootlet, or in ../libexec/rootlet"));
  return 125;
}

}  // namespace rootlet
