// SPDX-License-Identifier: MIT
#include "runtime/os/control_group.hpp"

#include <sys/file.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/temp_dir.hpp"

namespace rootlet::os {
namespace {

constexpr const char* kV1Mounts =
    "24 1 0:20 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "31 24 0:27 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory\n"
    "32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("a controller is found in the hierarchy of version 1 that has it") {
  const char* group = "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/c\n";
  CHECK(find_hierarchy("memory", group, kV1Mounts) ==
        Hierarchy{false, "/sys/fs/cgroup/my memory/a/b"});
  CHECK(find_hierarchy("cpu", group, kV1Mounts) == Hierarchy{false, "/sys/fs/cgroup/cpu,cpuacct"});
}

TEST_CASE("what no hierarchy of version 1 has is looked for in version 2") {
  CHECK(find_hierarchy("pids", "4:memory:/a\n0::/user.slice/x.scope\n", kV1Mounts) ==
        Hierarchy{true, "/sys/fs/cgroup/unified/user.slice/x.scope"});
  CHECK(!find_hierarchy("pids", "4:memory:/a\n", kV1Mounts));
  CHECK(!find_hierarchy("memory", "0::/\n", ""));
}

TEST_CASE("of a hierarchy that a container shows in part, only that part is used") {
  const char* mounts = "30 24 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  CHECK(find_hierarchy("memory", "0::/docker/1/x\n", mounts) ==
        Hierarchy{true, "/sys/fs/cgroup/x"});
  CHECK(!find_hierarchy("memory", "0::/docker/12\n", mounts));
}

TEST_CASE("a group of version 2 is made below the caller's, with its controllers") {
  test::TempDir top;
  top.write("cgroup.controllers", "cpu memory pids\n");
  top.write("cgroup.subtree_control", "pids\n");
  const auto own = std::filesystem::path(top / ("rootlet-" + std::to_string(::getpid())));
  {
    auto group = ControlGroup::make({true, top.path()}, {"memory", "pids", "hugetlb"});
    REQUIRE(group.ok());
    // Not what is not there.
    CHECK(read(top / "cgroup.subtree_control") == "+memory +pids");
    REQUIRE(group.value().set("memory.max", 4096).ok());
    CHECK(read(own / "memory.max") == "4096");
    std::ofstream(own / "memory.events") << "low 0\noom 3\noom_kill 12\n";
    CHECK(group.value().read("memory.events", "oom_kill") == 12);
    CHECK(group.value().read("memory.events", "nothing") == 0);
    CHECK(group.value().read("no.file", "oom_kill") == 0);
    CHECK(::write(group.value().door(), "0", 1) == 1);
    CHECK(read(own / "cgroup.procs") == "0");
    for (const char* file : {"memory.max", "memory.events", "cgroup.procs"}) {
      std::filesystem::remove(own / file);  // the kernel's groups go with their files
    }
  }
  CHECK(!std::filesystem::exists(own));
}

TEST_CASE("a group that was left behind is removed, one that is held is not") {
  test::TempDir top;
  std::filesystem::create_directory(top / "rootlet-1");
  std::filesystem::create_directory(top / "other-1");
  std::filesystem::create_directory(top / "rootlet-2");
  const Fd held = open_at(AT_FDCWD, top / "rootlet-2", O_RDONLY | O_DIRECTORY).value();
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  { REQUIRE(ControlGroup::make({false, top.path()}, {}).ok()); }
  CHECK(!std::filesystem::exists(top / "rootlet-1"));
  CHECK(std::filesystem::exists(top / "other-1"));
  CHECK(std::filesystem::exists(top / "rootlet-2"));
}

TEST_CASE("where no group may be made the error has the errno") {
  CHECK(!ControlGroup::make({false, "/proc"}, {}).ok());
}

}  // namespace
}  // namespace rootlet::os
