// SPDX-License-Identifier: MIT
#include "launcher/start.hpp"

#include <unistd.h>

#include "launcher/foreign.hpp"
#include "launcher/host_doors.hpp"
#include "launcher/lzo.hpp"
#include "launcher/seccomp_profile.hpp"
#include "runtime/os/traces.hpp"
#include "runtime/run/authority.hpp"
#include "runtime/run/launch.hpp"

namespace rootlet {

Result<int> start(Options options, const std::string& root, std::vector<int> closed,
                  const std::vector<std::string>& arguments) {
  add_lzo_images();
  take_seccomp_profiles();
  Source source = TRY(open_source(root));
  // A directory of the host that may be written is shown as a bind shows it.
  if (options.root_writable && !source.image) {
    options.given.push_back({"bind", source.file, Origin::command_line});
  }
  TRY(obey_locks(options));
  if (expects_the_host(source)) {
    run_on_the_host(options, source, root);
    source = TRY(open_source("/"));
  }
  if (!source.image && source.file == "/") options.hidden = TRY(doors_of_the_host());
  Caller caller = read_caller(root.c_str(), environ);
  os::wipe_too(caller.env);
  caller.closed_streams = std::move(closed);
  return launch(options, std::move(source), caller, arguments);
}

}  // namespace rootlet
