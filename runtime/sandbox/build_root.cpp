// SPDX-License-Identifier: MIT
#include "runtime/sandbox/build_root.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/os/mount.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/devices.hpp"
#include "runtime/sandbox/resolve.hpp"
#include "runtime/sandbox/user_namespace.hpp"

namespace rootlet::sandbox {

// A new proc is allowed only while a whole one is in sight: not "too revealing"
// (kernel commit e51db7353295, Linux 3.12).
Error explain_proc_failure(Error error) {
  if (error.code != EPERM) return error;
  error.reason = "the surrounding container hides parts of its /proc";
  error.hint = "start the container with --security-opt systempaths=unconfined, or run with " +
               option_text("best-effort") + " to show the container's own /proc";
  return error;
}

namespace {

Result<std::vector<Opened>> open_sources(const Plan& plan) {
  std::vector<Opened> opened;
  for (const Place& place : plan.places) {
    Opened item{&place, os::Fd(), place.kind != Place::Kind::text};
    if (place.kind == Place::Kind::bind) {
      // Where we are needs no name, which another could give to something else.
      // By this link and not by ".", which wants the right to search in it: in a
      // user's private directory root has that right outside only.
      auto source = os::open_path(place.here ? "/proc/self/cwd" : place.source);
      if (!source.ok() && place.optional) continue;
      if (!source.ok()) {
        return Error{source.error().code, "bind", place.source,
                     "the host has no such path, or you may not reach it", ""};
      }
      item.source = std::move(source).value();
      struct stat status {};
      if (::fstat(item.source.get(), &status) != 0) return last_error("bind", place.source);
      item.directory = S_ISDIR(status.st_mode);
    }
    opened.push_back(std::move(item));
  }
  return opened;
}

// A root that exists: an image, or a directory of the host with all that is
// mounted below it. It is mounted over "/" of this namespace, so that no
// directory of the host is needed, and entered from above: a look-up of ".." at
// the root goes up to what was mounted on it last (fs/namei.c, follow_dotdot;
// seen on 6.18).
Result<Root> mount_root(const Plan& plan, const std::vector<image::Reached>& images) {
  image::Reached directory;
  directory.name = directory.directory = plan.root_directory;
  directory.writable = plan.root_writable;
  const bool of_image = plan.root_directory.empty();
  const image::Reached& root = of_image ? images.front() : directory;
  TRY(image::mount_image(root, "/", {plan.ids.uid, plan.ids.gid, plan.ids.many()}));
  os::Fd mounted = TRY(os::open_mounted(AT_FDCWD, "/.."));
  // What the host mounts later stays out: it would come with flags of its own,
  // writable.
  if (!of_image) TRY(os::make_private(mounted.get(), plan.root_directory));
  const bool of_host = plan.root == RootKind::host;
  TRY(image::complete_image(root, mounted.get(), plan.ids.many() && !of_host));
  return Root(std::move(mounted), plan.memory, plan.root_writable || of_host);
}

// What an image was made as the difference to, below it.
Status put_on_base(const Plan& plan, const image::Reached& base, Root& root) {
  TRY(image::mount_image(base, "/", {plan.ids.uid, plan.ids.gid, plan.ids.many()}));
  const os::Fd mounted = TRY(os::open_mounted(AT_FDCWD, "/.."));
  TRY(image::complete_image(base, mounted.get(), plan.ids.many()));
  return root.lay_on(mounted.get());
}

// The tool stays in a PID namespace of its own, so that its end is certain: it
// sees the host's processes, and signals none of them.
Status show_host_proc(Root& root) {
  const os::Fd host = TRY(os::open_path("/proc"));
  TRY(root.make("/proc", true));
  const os::Fd target = TRY(root.open("/proc"));
  TRY(os::mount_bind(host.get(), target.get(), "/proc"));
  return Done{};
}

// /proc of this PID namespace.
Status mount_proc(const Plan& plan, Root& root, int control) {
  if (plan.host_processes) return show_host_proc(root);
  auto mounted = root.mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  if (mounted.ok()) return mounted;
  if (mounted.error().code != EPERM || !plan.best_effort) {
    return explain_proc_failure(std::move(mounted).error());
  }
  TRY(show_host_proc(root));
  (void)send_message(
      control,
      {Message::Kind::note, 0, "best effort: /proc shows the processes outside of this run", {}});
  return Done{};
}

// The writable knobs of /proc belong to the host's root: a root caller could
// turn them even without a capability. Not hidden for others, who cannot:
// covers in /proc keep nested containers from mounting one (bubblewrap #505).
Status protect_proc(Root& root) {
  for (const char* path :
       {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"}) {
    auto knob = root.open(path);
    if (!knob.ok()) continue;
    os::Fd mounted = TRY(os::mount_bind(knob.value().get(), knob.value().get(), path));
    if (!mounted.valid()) mounted = TRY(root.open(path));
    TRY(os::restrict_mount(mounted.get(), MOUNT_ATTR_RDONLY, path));
  }
  return Done{};
}

// The host's /sys, read-only, less the switches by which a user aborts his own
// FUSE mounts, the image's among them.
Status show_host_sys(Root& root) {
  const os::Fd host = TRY(os::open_path("/sys"));
  TRY(root.bind(host.get(), "/sys", true, false));
  if (!root.open("/sys/fs/fuse").ok()) return Done{};
  return root.scratch("/sys/fs/fuse", 0555, true);
}

// sysfs shows what the network namespace owns, so it can be had only with one;
// else the processors, which OpenMP, MPI and the JVM count.
Status mount_sys(const Plan& plan, Root& root) {
  if (plan.profile == Profile::compat) return show_host_sys(root);
  auto mounted = root.mount("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "");
  if (mounted.ok()) return mounted;
  TRY(root.scratch("/sys", 0755, true));
  for (const char* path : {"/sys/devices/system/cpu", "/sys/devices/system/node"}) {
    auto source = os::open_path(path);
    if (source.ok()) TRY(root.bind(source.value().get(), path, true, false));
  }
  return Done{};
}

bool starts_below(const std::string& path, const std::string& top) {
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

}  // namespace

// The rule of $PWD, asked of the image before anything is put on it: entries
// of the image are never hidden by the caller's directory.
void RootBuilder::leave_out_hiding(std::string& cwd) {
  std::erase_if(opened_, [&](const Opened& item) {
    const Place& place = *item.place;
    if (!place.only_if_empty || !root_->has_entries(place.target)) return false;
    std::string what = place.source + " is";
    std::string where;
    if (cwd == place.target || starts_below(cwd, place.target)) {
      cwd = plan_.fallback_cwd;
      what = "the current directory is";
      where = "; starting in " + cwd;
    }
    const std::string note = "the image has files of its own at " + place.target + ", so " + what +
                             " not shown" + where + " (" + option_text("bind") +
                             "=SRC:DST shows it elsewhere)";
    (void)send_message(links_.control, {Message::Kind::note, 0, note, {}});
    return true;
  });
}

// Every target that lies on the image itself (or on one that is attached)
// before anything is mounted there: what is missing is made by covering a
// directory, which would hide what is mounted below it.
Status RootBuilder::make_places(const Opened* inside_of) {
  std::vector<Target> targets;
  std::vector<std::string> tops;  // what lies below them lies on something else
  if (inside_of == nullptr) {
    tops = {"/proc", "/dev"};
    if (plan_.sysfs) tops.push_back("/sys");
    for (const std::string& top : tops) targets.push_back({top, true});
  }
  for (const Opened& item : opened_) {
    if (item.place->kind == Place::Kind::hidden) continue;  // it is there, or need not be
    const std::string& target = item.place->target;
    if (inside_of != nullptr &&
        (&item <= inside_of || !starts_below(target, inside_of->place->target))) {
      continue;
    }
    const bool nested = std::any_of(tops.begin(), tops.end(), [&](const std::string& top) {
      return starts_below(target, top);
    });
    const bool file = item.place->kind == Place::Kind::writable && root_->is_file(target);
    if (!nested && !file) targets.push_back({target, item.directory});
    if (item.directory) tops.push_back(target);
  }
  return root_->make_all(targets);
}

Status RootBuilder::lay_out(std::string& cwd) {
  opened_ = TRY(open_sources(plan_));
  // With the caller's own rights until here: what he may name is shown.
  if (plan_.ids.become) {
    TRY(become(plan_.ids));
    end_with_the_launcher();
  }
  root_ = TRY(mount_root(plan_, links_.images));
  if (plan_.on_base) TRY(put_on_base(plan_, links_.images[1], *root_));
  root_->look_around();
  for (const Guard& guard : plan_.root_guards) TRY(root_->guard("/", guard));
  if (plan_.overlay) TRY(root_->lay_over(*plan_.overlay));
  std::erase_if(opened_, [&](const Opened& item) {
    return item.place->only_if_missing && root_->open(item.place->target).ok();
  });
  leave_out_hiding(cwd);
  TRY(make_places(nullptr));
  root_->stop_covering();
  return Done{};
}

// Another image at its place: all of it, then the part that was asked for on
// top, found inside of it whatever symlinks it holds.
Status RootBuilder::attach(const Opened& item) {
  const Place& place = *item.place;
  const image::Reached& image = links_.images[place.image];
  os::Fd at = TRY(root_->make(place.target, true));
  TRY(image::mount_image(image, os::fd_path(at.get()),
                         {plan_.ids.uid, plan_.ids.gid, plan_.ids.many()}));
  at = TRY(root_->open(place.target));
  TRY(image::complete_image(image, at.get(), false));
  if (!place.part.empty()) {
    auto part = resolve_in_root(at.get(), place.part, O_PATH | O_DIRECTORY);
    if (!part.ok()) {
      Error error = std::move(part).error();
      error.action = "attach";
      error.subject = place.source + "//" + place.part;
      return error;
    }
    TRY(os::mount_bind(part.value().get(), at.get(), place.target));
  }
  TRY(root_->allow_covering(place.target));
  return make_places(&item);
}

Status RootBuilder::show(const Opened& item) {
  const Place& place = *item.place;
  switch (place.kind) {
    case Place::Kind::bind:
      TRY(root_->bind(item.source.get(), place.target, item.directory, place.writable,
                      place.devices));
      return place.ours ? root_->allow_making(place.target) : Done{};
    case Place::Kind::scratch: return root_->scratch(place.target, place.mode, false);
    case Place::Kind::writable: return root_->make_writable(place.target);
    case Place::Kind::text: return root_->text(place.target, place.source);
    case Place::Kind::image: return attach(item);
    case Place::Kind::hidden: return root_->hide(place.target);
  }
  return Done{};
}

Status RootBuilder::show_all() {
  for (const Opened& item : opened_) {
    auto shown = show(item);
    // The caller's directory, below something bound that lacks it: the tool
    // then starts elsewhere, and says so.
    if (!shown.ok() && item.place->only_if_empty) continue;
    TRY(std::move(shown));
    for (const Guard& guard : item.place->guards) TRY(root_->guard(item.place->target, guard));
  }
  return Done{};
}

Result<Root> RootBuilder::furnish(const Tool& tool) {
  TRY(mount_proc(plan_, *root_, links_.control));
  if (inside_of(plan_.ids.uids, 0)) TRY(protect_proc(*root_));
  TRY(begin_dev(*root_, tool.channel.get()));
  // The other half of /dev is being made meanwhile, unless something is shown in it.
  const auto is_in_dev = [](const Opened& item) {
    return starts_below(item.place->target, "/dev");
  };
  const bool in_dev =
      root_->leads_to_dev() || std::any_of(opened_.begin(), opened_.end(), is_in_dev);
  if (in_dev) TRY(wait_for_help(tool));
  TRY(show_all());
  if (!in_dev) TRY(wait_for_help(tool));
  // Last, for sysfs is mounted for the network namespace of who mounts it.
  if (plan_.own_network) TRY(join_network_of(tool));
  if (plan_.sysfs) TRY(mount_sys(plan_, *root_));
  return std::move(*root_);
}

}  // namespace rootlet::sandbox
