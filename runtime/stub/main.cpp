// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "runtime/os/process.hpp"
#include "runtime/os/traces.hpp"
#include "runtime/run/kept_image.hpp"
#include "runtime/run/launch.hpp"
#include "runtime/run/status_report.hpp"
#include "runtime/stub/appimage.hpp"
#include "runtime/stub/portable.hpp"
#include "runtime/stub/sections.hpp"

// The program in front of every image: read the arguments, do what they say,
// end as the tool ended.
namespace rootlet {
namespace {

Result<int> run(int argc, char** argv) {
  std::vector<int> closed = os::hold_standard_streams();
  Caller caller = read_caller(argv[0], environ);
  os::wipe_too(caller.env);
  caller.closed_streams = std::move(closed);
  const std::vector<std::string> given(argv + (argc > 0 ? 1 : 0), argv + argc);
  const bool raw = caller.variable("ROOTLET_RAW_ARGS") == "1";
  Options base;
  TRY(parse_environment(base, environ));
  CommandLine line = TRY(parse_packaged(given, raw, std::move(base)));
  if (line.options.help) return print_help(caller.argv0);
  if (line.options.version) return print_version();
  if (line.options.doctor) return print_findings(caller);

  const std::string target = caller.variable("TARGET_APPIMAGE");
  // By an option, or by a variable that need only be there, as elsewhere.
  const bool extract = line.appimage == "extract-and-run";
  if (extract) line.appimage.reset();
  if ((extract || caller.has_variable("APPIMAGE_EXTRACT_AND_RUN")) && !line.options.reach) {
    line.options.reach = Reach::extract;
    // Gone at the end, unless the variable of the same world says otherwise.
    if (!kept_limit() && !caller.has_variable("NO_CLEANUP")) kept_limit() = 0;
  }
  if (line.appimage) return appimage_option(*line.appimage, line.arguments, target, caller);
  Source source =
      line.options.image ? TRY(open_source(*line.options.image)) : TRY(open_own(target));
  if (line.options.inspect) return print_inspection(source);
  if (!line.options.image) use_portable(line.options, source.file, caller);
  return launch(line.options, std::move(source), caller, line.arguments);
}

}  // namespace
}  // namespace rootlet

int main(int argc, char** argv) {
  rootlet::os::know_command_line(argc, argv, environ);
  rootlet::end_run(rootlet::run(argc, argv));
}
