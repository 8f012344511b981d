// SPDX-License-Identifier: MIT
#include "runtime/sandbox/network.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {

Status raise_loopback() {
  constexpr std::string_view kAction = "bring up loopback";
  const os::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return last_error(kAction);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  // The kernel gives it 127.0.0.1 and ::1 by itself when it comes up.
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return last_error(kAction, "lo");
  return Done{};
}

}  // namespace rootlet::sandbox
