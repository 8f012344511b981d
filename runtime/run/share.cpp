// SPDX-License-Identifier: MIT
#include "runtime/run/share.hpp"

#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "runtime/os/parent.hpp"
#include "runtime/os/peer.hpp"
#include "runtime/run/environment.hpp"
#include "runtime/run/rendezvous.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kShare = "share the image server";
constexpr int kDefaultKeep = 2;

// Set for the steps of batch systems: what is left running there is killed, or
// waited for. Each also tells one job from another.
constexpr std::array kBatch = {"SLURM_JOB*",    "SLURM_STEP*", "SLURM_PROCID", "PBS_*",
                               "LSB_*",         "SGE_*",       "JOB_ID",       "COBALT_JOBID",
                               "LOADL_STEP_ID", "OAR_JOB*",    "FLUX_JOB*",    "_CONDOR_*"};

std::string batch_job(const Caller& caller) {
  std::string job;
  for (const std::string& entry : caller.env) {
    const std::string name = entry.substr(0, entry.find('='));
    const auto matches = [&](const char* pattern) { return glob_matches(pattern, name); };
    if (std::any_of(kBatch.begin(), kBatch.end(), matches)) job += entry + "\n";
  }
  return job;
}

// One that reaps what is left to it: with another one a server that outlives
// its launcher would stay a zombie.
bool init_reaps() {
  constexpr std::array kKnown = {"systemd", "init",        "runit",     "s6-svscan", "dinit",
                                 "tini",    "docker-init", "catatonit", "dumb-init", "openrc-init"};
  auto name = os::read_file(AT_FDCWD, "/proc/1/comm", 64);
  if (!name.ok()) return false;
  const std::string known = name.value().substr(0, name.value().find('\n'));
  return std::find(kKnown.begin(), kKnown.end(), known) != kKnown.end();
}

// FNV-1a: short names for long texts. Who joins compares what matters in full.
std::uint64_t hash(std::string_view bytes) {
  std::uint64_t value = 14695981039346656037u;
  for (const char c : bytes) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return value;
}

std::string first_bytes(const char* path) {
  auto text = os::read_file(AT_FDCWD, path, 4096);
  return text.ok() ? text.value() : "";
}

// What a server has from the process that starts it: it serves only runs that
// have the same.
std::string inherited(const Caller& caller) {
  std::string text;
  const auto add = [&](auto number) { text += std::to_string(number) + " "; };
  for (const char* kind : {"user", "pid", "mnt"}) {
    struct stat status {};
    ::stat(("/proc/self/ns/" + std::string(kind)).c_str(), &status);
    add(status.st_ino);
  }
  add(caller.uid);
  add(caller.gid);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  (void)::getgroups(static_cast<int>(groups.size()), groups.data());
  for (const gid_t group : groups) add(group);
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
    add(limit.rlim_cur);
    add(limit.rlim_max);
  }
  add(::getpriority(PRIO_PROCESS, 0));
  add(::sched_getscheduler(0));
  cpu_set_t processors{};
  ::sched_getaffinity(0, sizeof processors, &processors);
  add(hash({reinterpret_cast<const char*>(&processors), sizeof processors}));
  return text + first_bytes("/proc/self/cgroup") + first_bytes("/proc/self/attr/current") +
         batch_job(caller);
}

// Which server a run wants: of which image, and born like itself.
Result<std::string> make_key(const Source& source, const Caller& caller, int keep) {
  struct stat status {};
  if (::fstat(source.fd.get(), &status) != 0) return last_error(kShare, source.file);
  std::string key = ROOTLET_VERSION;
  const auto add = [&](auto number) { key += " " + std::to_string(number); };
  add(status.st_dev);
  add(status.st_ino);
  add(status.st_size);
  add(status.st_mtim.tv_sec);
  add(status.st_mtim.tv_nsec);
  add(status.st_ctim.tv_sec);
  add(status.st_ctim.tv_nsec);
  add(source.payload.offset);
  // Where its owner can make up a file's times, at least the content is the one
  // that this run has judged.
  const Seal* seal = source.image ? source.image->seal() : nullptr;
  if (seal != nullptr) key += " " + seal_text(seal->digest);
  add(keep);
  add(image::cache_limit());
  add(os::Parent::of_this_process().number());  // with which the server ends
  add(hash(inherited(caller)));
  return key;
}

// A server that may be there already.
class Candidate {
 public:
  Candidate(const Rendezvous& place, std::string key) : place_(place), key_(std::move(key)) {}

  std::string name() const { return std::to_string(hash(key_)); }

  // Nothing: nobody is there. An error: nobody who answers as our server
  // would. It is replaced then, and its own runs are left alone.
  Result<std::optional<image::Server>> join() const {
    std::optional<os::Fd> channel = TRY(place_.connect(name()));
    if (!channel) return std::optional<image::Server>();
    const os::Fd proc = TRY(os::open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
    const os::Standing us = TRY(os::own_standing());
    const os::Peer peer = TRY(os::check_peer(channel->get(), proc.get(), us));
    if (peer.stopped) return plain_error(kShare, name(), "its server is stopped");
    image::Server server = TRY(image::join_server(std::move(*channel), key_));
    if (server.reader != peer.pid) return plain_error(kShare, name(), "it is not who it says");
    return std::optional(std::move(server));
  }

 private:
  const Rendezvous& place_;
  std::string key_;
};

}  // namespace

int keep_seconds(const Options& options, const Caller& caller) {
  if (options.reach == Reach::private_server) return 0;
  if (options.keep_seconds) return *options.keep_seconds;
  if (options.reach == Reach::share) return kDefaultKeep;
  if (options.profile == Profile::isolated || !batch_job(caller).empty()) return 0;
  return init_reaps() ? kDefaultKeep : 0;
}

bool may_share(const sandbox::Plan& plan) {
  return (plan.namespaces & CLONE_NEWPID) != 0 && !plan.needs_own_server();
}

Result<Sharing> Sharing::of_run(const Options& options, const sandbox::Plan& plan,
                                const Caller& caller, const Log& log) {
  const bool asked = options.reach == Reach::share;
  const int keep = keep_seconds(options, caller);
  if (asked && keep == 0) {
    return plain_error(kShare, option_text("keep") + "=0", "then there is nothing to share",
                       "leave out one of the two options");
  }
  if (asked && !may_share(plan)) {
    return plain_error(kShare, "", "this run needs an image server of its own",
                       "leave out " + option_text("mount") + "=share");
  }
  return Sharing(caller, log, may_share(plan) ? keep : 0, asked);
}

Result<std::optional<image::Server>> Sharing::server_of(Source& source,
                                                        const os::OneProcessor& beside) const {
  if (keep_ == 0) return std::optional<image::Server>();
  auto server = join_or_start(source, beside);
  if (server.ok()) return std::optional(std::move(server).value());
  if (asked_) return std::move(server).error();
  log_.say([&] { return server.error().message() + "; this run has an image server of its own"; });
  return std::optional<image::Server>();
}

Result<image::Server> Sharing::join_or_start(Source& source, const os::OneProcessor& beside) const {
  Rendezvous place = TRY(Rendezvous::open(caller_));
  const std::string key = TRY(make_key(source, caller_, keep_));
  const Candidate candidate(place, key);
  const std::string name = candidate.name();
  const std::string seen = place.version_of(name);
  auto joined = candidate.join();
  if (!joined.ok()) log_.say([&] { return joined.error().message() + "; it is replaced"; });
  if (!joined.ok() || !joined.value()) {
    TRY(place.lock());
    // Somebody may have been quicker. Who did not answer is not asked again.
    if (joined.ok() || place.version_of(name) != seen) joined = candidate.join();
    if (joined.ok() && joined.value()) place.unlock();
  }
  if (joined.ok() && joined.value()) {
    log_.say("shares a running image server");
    return std::move(*joined.value());
  }
  log_.say("starts an image server that other runs can share");
  image::Offer offer = TRY(std::move(place).offer(name));
  offer.key = key;
  offer.keep_seconds = keep_;
  return image::start_shared_server(*source.image, {caller_.uid, caller_.gid}, std::move(offer),
                                    beside);
}

}  // namespace rootlet
