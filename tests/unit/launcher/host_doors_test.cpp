// SPDX-License-Identifier: MIT
#include "launcher/host_doors.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;
using Words = std::vector<std::string>;

namespace {

os::MountEntry mount(dev_t device, const std::string& top, const std::string& point) {
  os::MountEntry entry;
  entry.device = device;
  entry.top = top;
  entry.point = point;
  return entry;
}

}  // namespace

TEST_CASE("sockets with absolute names are found in the table, whatever their names hold") {
  const std::string table =
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "00000000b3193739: 00000003 00000000 00000000 0001 03  1141\n"
      "00000000fe553f40: 00000002 00000000 00010000 0001 01  1142 /run/a b\n"
      "00000000fe553f41: 00000002 00000000 00010000 0001 01 11423 @abstract\n"
      "00000000fe553f42: 00000002 00000000 00010000 0001 01     1 relative\n"
      "00000000fe553f43: 00000002 00000000 00000000 0002 01  1145 /srv/x\n"
      "y: z\n"
      "\n"
      "fe553f44: 00000002 00000000 00010000 0005 01  1146 /last\n";
  CHECK(socket_paths(table) == Words{"/run/a b", "/srv/x\ny: z\n", "/last"});
  CHECK(socket_paths("").empty());
  CHECK(socket_paths("00000000fe553f43: 1").empty());
}

TEST_CASE("a file is named by every mount that shows it") {
  const std::vector<os::MountEntry> mounts = {
      mount(1, "/", "/"), mount(2, "/", "/run"), mount(2, "/service", "/srv/alias"),
      mount(2, "/other", "/mnt"), mount(1, "/run", "/under")};
  CHECK(all_names("/run/service/s", mounts) == Words{"/run/service/s", "/srv/alias/s"});
  CHECK(all_names("/srv/alias/s", mounts) == Words{"/srv/alias/s", "/run/service/s"});
  CHECK(all_names("/etc/s", mounts) == Words{"/etc/s"});
  CHECK(all_names("/runner/s", mounts) == Words{"/runner/s"});
}

TEST_CASE("of two mounts on one directory the later one is seen") {
  const std::vector<os::MountEntry> mounts = {mount(1, "/", "/"), mount(2, "/", "/a"),
                                              mount(3, "/", "/a"), mount(3, "/", "/b")};
  CHECK(all_names("/a/s", mounts) == Words{"/a/s", "/b/s"});
}
