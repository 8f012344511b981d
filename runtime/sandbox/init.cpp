// SPDX-License-Identifier: MIT
#include "runtime/sandbox/init.hpp"

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "runtime/os/capabilities.hpp"
#include "runtime/os/traces.hpp"
#include "runtime/sandbox/build_root.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/hide.hpp"
#include "runtime/sandbox/network.hpp"
#include "runtime/sandbox/privileges.hpp"
#include "runtime/sandbox/reap.hpp"
#include "runtime/sandbox/tool.hpp"
#include "runtime/sandbox/user_namespace.hpp"

namespace rootlet::sandbox {
namespace {

Error no_time_namespace() {
  Error error = last_error("create a time namespace");
  if (error.code == EINVAL) error.reason = "this kernel has none (Linux 5.6)";
  return error;
}

// Init has joined the network namespace; the tool waits for it to be whole.
Status connect_network(const Plan& plan, int errands) {
  const auto number = static_cast<std::uint32_t>(TRY(ask_outside(errands, Errand::network)));
  if (plan.wiring == Wiring::veth) {
    TRY(give_veth_address(kVethInside, VethEnd::inside, number));
    TRY(route_through_veth(number));
  }
  return forbid_metadata();
}

// From the new namespaces to the tool's first instruction. The order is the
// kernel's: ids before the first file is made (an unmapped owner is
// EOVERFLOW), /proc while the host's is still in sight (else EPERM),
// capabilities last.
Result<Tool> start(const Plan& plan, const Links& links) {
  if (plan.ids.written_outside()) TRY(ask_outside(links.errands, Errand::ids));
  TRY(write_own_maps(plan.ids));
  TRY(forbid_namespaces(!plan.nested));
  // Nothing that is mounted here may travel to the host's namespace. A new
  // user namespace makes the copy a slave by itself; said again for a run
  // without one.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return last_error("keep mounts private", "/");
  }
  if (plan.hostname && ::sethostname(plan.hostname->data(), plan.hostname->size()) != 0) {
    return last_error("set the host name", *plan.hostname);
  }
  // Of the children to come, the tool's process (time_namespaces(7)).
  if (plan.own_clock && ::unshare(CLONE_NEWTIME) != 0) return no_time_namespace();
  std::string cwd = plan.cwd;
  RootBuilder builder(plan, links);
  // On a processor of its own while init and the server share theirs.
  Tool tool = TRY(prepare_tool(plan, links.control));
  ::umask(0);  // modes are what is asked for; the tool has its caller's
  // Unpacking takes all processors, and a shared server seldom has to be asked.
  if (!links.images.empty() && links.images.front().server >= 0) links.beside.join();
  TRY(builder.lay_out(cwd));
  links.beside.leave();
  Root root = TRY(builder.furnish(tool));
  if (plan.wiring != Wiring::none) TRY(connect_network(plan, links.errands));
  const bool of_host = !plan.root_directory.empty();
  const bool hides = of_host || Hidden::may_show_in(root, plan.hidden);
  const Hidden hidden = hides ? TRY(Hidden::look_at(plan.hidden)) : Hidden();
  TRY(std::move(root).enter());
  // From here on the host's files are out of reach, for the tool's process
  // too: pivot_root(2) moves every process of the mount namespace.
  if (hides) TRY(hidden.hide());

  // Before the tool's program runs: with this it may neither trace init nor
  // look at its /proc entries, though both are of one user (ptrace(2), proc(5)).
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return last_error("hide init from the tool");
  // The layer's descriptor is its lock, held until nothing of the run is left.
  os::close_all_but(
      {0, 1, 2, links.control, tool.channel.get(), plan.overlay ? plan.overlay->fd : 0});
  TRY(let_run(tool, cwd));
  TRY(os::keep_capabilities(capabilities_of_init(plan.ids)));
  return tool;
}

// The tool can read /proc/1/cmdline, and the command line of the launcher
// names paths of the host.
void hide_command_line() {
  ::prctl(PR_SET_NAME, "rootlet-init");
  os::wipe_command_line(false);  // the tool's environment is made from what lies behind it
}

int run_init(const Plan& plan, const Links& links) {
  end_with_the_launcher();
  hide_command_line();
  auto tool = start(plan, links);
  if (tool.ok()) return reap(tool.value(), links.control, plan.tell_start);
  // A launcher that is gone needs no reason.
  (void)send_message(links.control, {Message::Kind::failed, 0, "", std::move(tool).error()});
  return 1;
}

}  // namespace

Result<Init> start_init(const Plan& plan, const std::vector<image::Reached>& images,
                        const os::OneProcessor& beside) {
  auto [ours, theirs] = TRY(os::socket_pair("start init"));
  std::pair<os::Fd, os::Fd> errands;
  if (plan.needs_errands()) errands = TRY(os::socket_pair("start init"));
  auto child = os::fork_with(plan.namespaces, "create the namespaces");
  if (!child.ok() && child.error().code == ENOSPC) {
    // Namespaces that just ended are uncounted late: a limit that is tight
    // looks exhausted for a moment.
    ::usleep(20000);
    child = os::fork_with(plan.namespaces, "create the namespaces");
  }
  if (!child.ok()) return explain_namespace_failure(child.error().code);
  if (child.value().pid == 0) {
    ours.reset();
    errands.first.reset();
    ::_exit(run_init(plan, {images, theirs.get(), errands.second.get(), beside}));
  }
  return Init{child.value().pid, std::move(child.value().pidfd), std::move(ours),
              std::move(errands.first)};
}

}  // namespace rootlet::sandbox
