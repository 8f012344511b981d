// SPDX-License-Identifier: MIT
#include "runtime/run/network.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <sched.h>

#include <csignal>

#include "runtime/base/text.hpp"
#include "runtime/run/host_program.hpp"
#include "runtime/sandbox/netlink.hpp"
#include "runtime/sandbox/network.hpp"
#include "runtime/sandbox/privileges.hpp"

namespace rootlet {
namespace {

using sandbox::NetlinkRequest;
using sandbox::Wiring;

constexpr std::string_view kConnect = "connect the network namespace";
constexpr int kLongest = 5000;  // ms until a program is ready; it takes 25

// Where a program answers for the host's own resolver. pasta takes the address
// that it is told: one of 192.0.0.0/24 (RFC 6890), which no network uses.
constexpr std::string_view kPastaResolver = "192.0.0.53";
constexpr std::string_view kSlirpResolver = "10.0.2.3";

std::string number(long value) { return digits(static_cast<unsigned long>(value)); }

std::string of_process(pid_t pid, std::string_view what) {
  return join({"/proc/", number(pid), "/", what});
}

std::vector<std::string> pasta_arguments(pid_t init) {
  std::vector<std::string> arguments = {"--foreground", "--quiet", "--config-net", "--ns-ifname",
                                        sandbox::kVethInside, "--dns-forward",
                                        std::string(kPastaResolver),
                                        // The host's loopback stays the host's, both ways.
                                        "--no-map-gw", "--tcp-ports", "none", "--udp-ports", "none",
                                        "--tcp-ns", "none", "--udp-ns", "none", "--no-netns-quit"};
  // Another user than root could not enter root's namespaces.
  if (::geteuid() == 0) arguments.insert(arguments.end(), {"--runas", "0:0"});
  // Its stdout: newer ones close what else they inherit.
  arguments.insert(arguments.end(),
                   {"--pid", "/proc/self/fd/1", "--userns", of_process(init, "ns/user"), "--netns",
                    of_process(init, "ns/net")});
  return arguments;
}

std::vector<std::string> slirp_arguments(int network, int ready) {
  std::vector<std::string> arguments = {"--configure", "--mtu=65520", "--disable-host-loopback",
                                        "--enable-seccomp"};
  if (::geteuid() == 0) arguments.push_back("--enable-sandbox");  // which wants to be uid 0
  arguments.insert(arguments.end(), {"--ready-fd=" + number(ready), "--netns-type=path",
                                     os::fd_path(network), sandbox::kVethInside});
  return arguments;
}

// SIGKILL for this process when the other end of the pipe is gone, whatever it
// has become by then. PR_SET_PDEATHSIG would be lost: a process that enters a
// user namespace gains capabilities, which clears it (prctl(2)).
void end_with(int lifeline) {
  ::fcntl(lifeline, F_SETOWN, ::getpid());
  ::fcntl(lifeline, F_SETSIG, SIGKILL);
  ::fcntl(lifeline, F_SETFL, O_ASYNC | O_NONBLOCK);
  pollfd end{lifeline, 0, 0};
  if (::poll(&end, 1, 0) != 0) ::_exit(1);  // it went before that
}

Status make_veth(const std::string& name, int network) {
  NetlinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  const ifinfomsg head{};
  request.add(&head, sizeof head);
  request.attribute(IFLA_IFNAME, name);
  const std::size_t info = request.begin(IFLA_LINKINFO);
  request.attribute(IFLA_INFO_KIND, "veth");
  const std::size_t data = request.begin(IFLA_INFO_DATA);
  const std::size_t peer = request.begin(VETH_INFO_PEER);
  request.add(&head, sizeof head);
  request.attribute(IFLA_IFNAME, sandbox::kVethInside);
  request.attribute(IFLA_NET_NS_FD, &network, sizeof network);
  for (const std::size_t place : {peer, data, info}) request.end(place);
  return request.send(kConnect, "veth=" + name);
}

}  // namespace

Status choose_network(sandbox::Plan& plan, const Options& options, const Caller& caller) {
  const bool compat = plan.profile == Profile::compat;
  const Network network = options.network.value_or(options.veth ? Network::none
                                                   : compat     ? Network::host
                                                                : Network::none);
  plan.own_network = network != Network::host;
  if (options.veth) {
    const std::string name = option_text("veth");
    if (network != Network::none) {
      return plain_error("read the options", name, "it is a network of its own kind",
                         join({"leave out ", option_text("net")}));
    }
    if (caller.uid != 0) {
      return plain_error(kConnect, name, "only root may change the host's side of it",
                         join({option_text("net"), "=private reaches the outside without root"}));
    }
    plan.wiring = Wiring::veth;
    plan.wire = *options.veth;
  }
  if (network != Network::connected) return Done{};
  plan.wiring = Wiring::pasta;
  plan.wire = find_host_program("pasta");
  if (plan.wire.empty()) {
    plan.wiring = Wiring::slirp4netns;
    plan.wire = find_host_program("slirp4netns");
  }
  if (!plan.wire.empty()) return Done{};
  return plain_error(kConnect, join({option_text("net"), "=private"}),
                     "neither pasta nor slirp4netns is in /usr/bin or /bin",
                     "install the package passt, or slirp4netns");
}

std::string resolver_text(const sandbox::Plan& plan, const std::string& host) {
  std::string text;
  for (const std::string& line : split_escaped(host, '\n')) {
    const bool local = line.starts_with("nameserver 127.") || line.starts_with("nameserver ::1");
    if (!local) text += line + "\n";
    if (!local || text.find("# the host's own") != std::string::npos) continue;
    text += join({"# the host's own\nnameserver ",
                  plan.wiring == Wiring::pasta ? kPastaResolver : kSlirpResolver, "\n"});
  }
  return text;
}

Result<int> NetworkLink::make(const sandbox::Plan& plan, pid_t init) {
  if (plan.wiring != Wiring::veth) {
    TRY(start_program(plan, init));
    return 0;
  }
  const os::Fd network = TRY(os::open_at(AT_FDCWD, of_process(init, "ns/net"), O_RDONLY));
  TRY(make_veth(plan.wire, network.get()));
  interface_ = TRY(sandbox::interface_index(plan.wire));
  TRY(sandbox::give_veth_address(plan.wire, sandbox::VethEnd::outside,
                                 static_cast<std::uint32_t>(interface_)));
  return interface_;
}

Status NetworkLink::start_program(const sandbox::Plan& plan, pid_t init) {
  const os::Fd network = TRY(os::open_at(AT_FDCWD, of_process(init, "ns/net"), O_RDONLY));
  const os::Fd users = TRY(os::open_at(AT_FDCWD, of_process(init, "ns/user"), O_RDONLY));
  auto [life, lifeline] = TRY(os::make_pipe(kConnect));
  auto [ready, to_ready] = TRY(os::make_pipe(kConnect));
  auto [words, to_words] = TRY(os::make_pipe(kConnect));
  // Nobody reads them once it runs, and it must not wait for that.
  ::fcntl(to_words.get(), F_SETFL, O_NONBLOCK);
  program_ = TRY(os::fork_with(0, kConnect));
  if (program_.pid == 0) {
    ::setsid();  // Ctrl-C is for the tool
    end_with(life.get());
    if (plan.wiring == Wiring::pasta) {
      become_host_program(plan.wire, pasta_arguments(init),
                          {life.get(), to_ready.get(), to_words.get()}, {});
    }
    // It would become uid 0 of the user namespace, which need not have one; so
    // it gets there first, and keeps what it needs of the rights.
    if (::geteuid() != 0 &&
        (::setns(users.get(), CLONE_NEWUSER) != 0 || !sandbox::keep_network_capabilities().ok())) {
      ::_exit(1);
    }
    become_host_program(plan.wire, slirp_arguments(network.get(), to_ready.get()),
                        {life.get(), -1, to_words.get()}, {network.get(), to_ready.get()});
  }
  lifeline_ = std::move(lifeline);
  words_ = std::move(words);
  to_ready.reset();
  to_words.reset();
  return wait_until_ready(plan, ready.get(), words_.get());
}

Status NetworkLink::wait_until_ready(const sandbox::Plan& plan, int ready, int words) const {
  pollfd events[2] = {{ready, POLLIN, 0}, {program_.pidfd.get(), POLLIN, 0}};
  ::poll(events, 2, kLongest);
  if ((events[0].revents & POLLIN) != 0) return Done{};
  std::string reason = "it does not get ready";
  char said[2048];
  const ssize_t got =
      events[1].revents != 0 || events[0].revents != 0 ? ::read(words, said, sizeof said) : 0;
  if (got > 0) {
    // The last line is what it stumbled over.
    std::string_view text(said, static_cast<std::size_t>(got));
    while (text.ends_with('\n')) text.remove_suffix(1);
    reason = text.substr(text.rfind('\n') + 1);
  }
  const bool tun = ::access("/dev/net/tun", R_OK | W_OK) == 0;
  return plain_error(kConnect, plan.wire, reason,
                     tun ? "the host itself needs an address and a default route"
                         : "it needs /dev/net/tun, open to you (mode 0666)");
}

void NetworkLink::end() {
  if (program_.pid > 0) {
    ::kill(program_.pid, SIGKILL);
    os::wait_for(program_.pid);
  }
  if (interface_ == 0) return;
  // The kernel takes the pair away with the namespace, but in its own time.
  NetlinkRequest request(RTM_DELLINK);
  ifinfomsg head{};
  head.ifi_index = interface_;
  request.add(&head, sizeof head);
  (void)request.send(kConnect, "");
}

}  // namespace rootlet
