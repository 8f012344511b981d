// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_map>

#include "launcher/learn/recording.hpp"

namespace rootlet::learn {

// A mount that the tool sees, and what it is to a reader of rules.
struct MountInside {
  std::string point;
  Where where = Where::elsewhere;
  bool read_only = false;
};

// The mounts of a run, by their number (statx(2), stx_mnt_id: Linux 5.8).
class MountsInside {
 public:
  // `setting` says what options showed.
  explicit MountsInside(const Setting& setting) : setting_(setting) {}

  // As the thread sees them now.
  void read(pid_t tid);
  const MountInside* find(std::uint64_t number) const;
  // That which a path lies on, by its text: for one that is not there.
  const MountInside& of_path(const std::string& path) const;

 private:
  Where where_is(const std::string& point, const std::string& type) const;

  const Setting& setting_;
  std::unordered_map<std::uint64_t, MountInside> mounts_;
};

}  // namespace rootlet::learn
