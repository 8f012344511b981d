// SPDX-License-Identifier: MIT
#include "launcher/start.hpp"

#include <unistd.h>

#include "launcher/foreign.hpp"
#include "launcher/host_doors.hpp"
#include "launcher/image_trust.hpp"
#include "launcher/lzo.hpp"
#include "launcher/seccomp_profile.hpp"
#include "runtime/os/traces.hpp"
#include "runtime/run/authority.hpp"
#include "runtime/run/judged_source.hpp"
#include "runtime/run/launch.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {

namespace {

// Between the search and here the file may have become another one.
Status refuse_other_seals(const Source& source, const std::string& wanted) {
  const Seal* seal = source.image ? source.image->seal() : nullptr;
  if (seal != nullptr && seal_text(seal->digest) == wanted) return Done{};
  return plain_error("open the image", source.file, "it changed while it was looked at",
                     "run it again");
}

}  // namespace

Result<int> start(Options options, const std::string& root, std::vector<int> closed,
                  const std::vector<std::string>& arguments, const std::string& seal) {
  add_lzo_images();
  take_seccomp_profiles();
  VerifySettings::of_this_run().whole_files = options.reach == Reach::kernel;
  options.judge = judge_open_image;
  JudgedFile opened = TRY(open_judged(root));
  // What was judged is what is run, whatever has its name by now.
  const os::Fd judged(::fcntl(opened.fd.get(), F_DUPFD_CLOEXEC, 3));
  const bool named = TRY(VerifySettings::of_this_run().mode()) == Verify::off;
  const std::string image =
      named ? root : os::fd_path(judged.get()) + root.substr(location_file(root).size());
  // Held until the run has ended; it is then removed.
  const Log log(options.verbose);
  const std::optional<PrivateDirectory> unpacked = TRY(unpack_type_1(image, log));
  Source source = unpacked ? TRY(open_source(unpacked->path() + "/root"))
                           : TRY(open_source(root, std::move(opened.fd)));
  if (!unpacked) TRY(check_judged(opened.seal, source, root));
  if (!seal.empty()) TRY(refuse_other_seals(source, seal));
  // A directory of the host that may be written is shown as a bind shows it.
  if (options.root_writable && !source.image) {
    options.given.push_back({"bind", source.file, Origin::command_line});
  }
  TRY(obey_locks(options));
  const bool on_the_host =
      unpacked && !options.no_isolation && run_unpacked_on_the_host(options, *unpacked, root);
  if (on_the_host) source = TRY(open_source("/"));
  if (expects_the_host(source)) {
    run_on_the_host(options, source, image);
    source = TRY(open_source("/"));
  }
  if (!source.image && source.file == "/") options.hidden = TRY(doors_of_the_host());
  // What runs execute is no run's to change.
  if (unpacked) options.guarded = {unpacked->base(), real_path(location_file(root))};
  Caller caller = read_caller(root.c_str(), environ);
  os::wipe_too(caller.env);
  caller.closed_streams = std::move(closed);
  return launch(options, std::move(source), caller, arguments);
}

}  // namespace rootlet
