// SPDX-License-Identifier: MIT
#include "runtime/sandbox/network.hpp"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "runtime/os/fd.hpp"
#include "runtime/sandbox/netlink.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kRaise = "bring up an interface";
constexpr std::string_view kWire = "connect the network namespace";

// `request` with the interface's name in it, done.
Status ask_interface(unsigned long what, std::string_view name, ifreq& request) {
  const os::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return last_error(kRaise, name);
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  if (::ioctl(socket.get(), what, &request) != 0) return last_error(kRaise, name);
  return Done{};
}

// An address (of IPv4 or IPv6) and how much of it counts.
struct Network {
  std::uint8_t family, bits;
  std::uint8_t bytes[16];
};
// Amazon, Google, Azure, OpenStack and most others; Alibaba; Oracle; Amazon's
// and OpenStack's by IPv6.
constexpr Network kMetadata[] = {
    {AF_INET, 16, {169, 254}},
    {AF_INET, 32, {100, 100, 100, 200}},
    {AF_INET, 32, {192, 0, 0, 192}},
    {AF_INET6, 128, {0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54}},
    {AF_INET6, 128, {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0xfe, 0xa9, 0xfe}}};

std::uint32_t veth_address(VethEnd end, std::uint32_t number) {
  return htonl((198u << 24 | 18u << 16) + number % kVethNetworks * 4 +
               static_cast<std::uint32_t>(end));
}

}  // namespace

Status raise_interface(std::string_view name) {
  ifreq request{};
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  // The kernel gives loopback 127.0.0.1 and ::1 by itself when it comes up.
  return ask_interface(SIOCSIFFLAGS, name, request);
}

Result<int> interface_index(std::string_view name) {
  ifreq request{};
  TRY(ask_interface(SIOCGIFINDEX, name, request));
  return request.ifr_ifindex;
}

Status forbid_metadata() {
  for (const Network& network : kMetadata) {
    // A rule and not a route: whoever connects the namespace may bring a more
    // special route. Rule 0 finds local addresses, 1 comes before all others.
    NetlinkRequest request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    fib_rule_hdr rule{};
    rule.family = network.family;
    rule.dst_len = network.bits;
    rule.action = FR_ACT_UNREACHABLE;
    request.add(&rule, sizeof rule);
    request.attribute(FRA_DST, network.bytes, network.family == AF_INET ? 4 : 16);
    const std::uint32_t priority = 1;
    request.attribute(FRA_PRIORITY, &priority, sizeof priority);
    auto made = request.send("keep the addresses of metadata out of reach", "");
    if (made.ok()) continue;
    // A kernel without IPv6 has no way to them.
    if (network.family == AF_INET6 &&
        (made.error().code == EAFNOSUPPORT || made.error().code == EOPNOTSUPP)) {
      continue;
    }
    return made;
  }
  return Done{};
}

Status give_veth_address(std::string_view name, VethEnd end, std::uint32_t number) {
  NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  ifaddrmsg head{};
  head.ifa_family = AF_INET;
  head.ifa_prefixlen = 30;
  head.ifa_index = static_cast<std::uint32_t>(TRY(interface_index(name)));
  request.add(&head, sizeof head);
  const std::uint32_t address = veth_address(end, number);
  request.attribute(IFA_LOCAL, &address, sizeof address);
  request.attribute(IFA_ADDRESS, &address, sizeof address);
  TRY(request.send(kWire, name));
  return raise_interface(name);
}

Status route_through_veth(std::uint32_t number) {
  NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  rtmsg head{};
  head.rtm_family = AF_INET;
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_type = RTN_UNICAST;
  request.add(&head, sizeof head);
  const std::uint32_t gateway = veth_address(VethEnd::outside, number);
  request.attribute(RTA_GATEWAY, &gateway, sizeof gateway);
  return request.send(kWire, "default route");
}

}  // namespace rootlet::sandbox
