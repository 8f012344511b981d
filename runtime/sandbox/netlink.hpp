// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// One request of rtnetlink(7), about the network namespace that this process is
// in: made, sent, and the kernel's answer waited for.
class NetlinkRequest {
 public:
  explicit NetlinkRequest(std::uint16_t type, std::uint16_t flags = 0);

  // The fixed part that the type wants, or that of something nested.
  void add(const void* data, std::size_t size);
  void attribute(std::uint16_t type, const void* data, std::size_t size);
  void attribute(std::uint16_t type, std::string_view text);
  // An attribute that holds others: what is added until end() with its place.
  std::size_t begin(std::uint16_t type);
  void end(std::size_t place);

  Status send(std::string_view action, std::string_view subject);

 private:
  std::size_t size_ = 0;
  alignas(8) char bytes_[512] = {};
};

}  // namespace rootlet::sandbox
