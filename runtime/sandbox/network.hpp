// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// What init does in the run's own network namespace.

// Brings up an interface, loopback to begin with: it starts down, and a tool that
// talks to itself over 127.0.0.1 (MPI, R's parallel) needs it.
Status raise_interface(std::string_view name);

// The number of an interface. if_nametoindex(3) brings stdio into the stub.
Result<int> interface_index(std::string_view name);

// Nothing inside reaches the addresses at which clouds tell a machine its
// secrets, whatever routes there are.
Status forbid_metadata();

// The two ends of a veth pair have a network of four addresses of their own, the
// one of this number: 198.18.0.0/15 (RFC 2544) is nobody's.
constexpr std::uint32_t kVethNetworks = 1u << 15;
constexpr const char* kVethInside = "eth0";
enum class VethEnd : std::uint8_t {
  outside = 1,
  inside = 2
};
Status give_veth_address(std::string_view name, VethEnd end, std::uint32_t number);

// All that is not local goes to the other end.
Status route_through_veth(std::uint32_t number);

}  // namespace rootlet::sandbox
