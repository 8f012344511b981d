// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/option_text.hpp"
#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// Which ids (of users, or of groups) of the host are seen as which inside, as it
// is written to uid_map and gid_map: a line "INSIDE OUTSIDE COUNT" for each
// range (user_namespaces(7)).
using IdMap = std::string;

struct IdRange {
  std::uint32_t inside = 0, outside = 0, count = 1;
};
std::string map_line(const IdRange& range);
// Takes the first range off; false when there is none.
bool next_range(std::string_view& map, IdRange& range);

// From "INSIDE OUTSIDE COUNT[,...]", checked as the kernel will: every range
// sound, none of them overlapping another, not more than it takes. `option` is
// named in the error.
Result<IdMap> parse_id_map(std::string_view option, const std::string& text);

std::optional<std::uint32_t> inside_of(std::string_view map, std::uint32_t outside);

// More than one id exists inside.
bool has_many(std::string_view map);

// Who the tool is, which ids exist inside, and who may write that down.
struct Ids {
  enum class Writer {
    init,      // the caller's own id alone: the kernel takes it from the new namespace itself
    launcher,  // root outside
    program,   // newuidmap(1) or newgidmap(1), which know /etc/subuid and /etc/subgid
  };
  IdMap uids, gids;
  Writer uid_writer = Writer::init, gid_writer = Writer::init;
  std::uint32_t uid = 0, gid = 0;  // the tool's, inside
  // They are not the caller's own, which the map leaves out: init and the tool
  // become them.
  bool become = false;

  bool many() const { return has_many(uids) || has_many(gids); }
  bool written_outside() const { return uid_writer != Writer::init || gid_writer != Writer::init; }
};

// The caller and nobody else, under his own numbers.
Ids own_ids(std::uint32_t uid, std::uint32_t gid);

}  // namespace rootlet::sandbox
