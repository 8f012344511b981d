// SPDX-License-Identifier: MIT
#include "runtime/sandbox/id_map.hpp"

#include <algorithm>

#include "runtime/base/text.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::uint64_t kIds = 0xffffffff;    // 2^32 - 1 stands for "no id"
constexpr std::size_t kMostRanges = 340;      // Linux 4.15; 5 before
constexpr std::size_t kMostBytes = 4096 - 1;  // one write of less than a page

// The three numbers of a range, blanks between them.
bool read_range(std::string_view text, IdRange& range) {
  for (std::uint32_t* to : {&range.inside, &range.outside, &range.count}) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::uint64_t number = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      number = std::min(number * 10 + static_cast<std::uint64_t>(text[at] - '0'), kIds + 1);
    }
    if (at == 0 || number > kIds) return false;
    *to = static_cast<std::uint32_t>(number);
    text.remove_prefix(at);
  }
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

bool overlap(std::uint32_t first, std::uint32_t count, std::uint32_t other, std::uint32_t others) {
  return first < std::uint64_t{other} + others && other < std::uint64_t{first} + count;
}

// What is wrong with it beside the ranges before it; nothing: it is sound.
std::string_view fault(const IdRange& range, std::string_view before) {
  if (range.count == 0) return "it holds no id";
  if (std::uint64_t{std::max(range.inside, range.outside)} + range.count > kIds) {
    return "it goes beyond the last id (4294967294)";
  }
  IdRange other;
  while (next_range(before, other)) {
    if (overlap(range.inside, range.count, other.inside, other.count)) {
      return "its ids inside overlap an earlier range";
    }
    if (overlap(range.outside, range.count, other.outside, other.count)) {
      return "its ids outside overlap an earlier range";
    }
  }
  return {};
}

}  // namespace

std::string map_line(const IdRange& range) {
  return join({digits(range.inside), " ", digits(range.outside), " ", digits(range.count), "\n"});
}

bool next_range(std::string_view& map, IdRange& range) {
  const std::size_t end = map.find('\n');
  if (end == std::string_view::npos) return false;
  const bool sound = read_range(map.substr(0, end), range);
  map.remove_prefix(end + 1);
  return sound;
}

Result<IdMap> parse_id_map(std::string_view option, const std::string& text) {
  IdMap map;
  std::size_t count = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view part = std::string_view(text).substr(at, end - at);
    IdRange range;
    std::string_view reason;
    if (!read_range(part, range)) {
      reason = "not three numbers, an id being at most 4294967294";
    } else {
      reason = fault(range, map);
    }
    map += map_line(range);
    if (++count > kMostRanges || map.size() > kMostBytes) {
      reason = "one range more than the kernel takes (340, in 4095 bytes)";
    }
    if (!reason.empty()) {
      const std::string name = option_text(option);
      return plain_error("read the options", join({name, "=", part}), reason,
                         join({"valid: ", name, "='INSIDE OUTSIDE COUNT[,...]'"}));
    }
    at = end + 1;
  }
  return map;
}

std::optional<std::uint32_t> inside_of(std::string_view map, std::uint32_t outside) {
  IdRange range;
  while (next_range(map, range)) {
    const std::uint32_t distance = outside - range.outside;
    if (outside >= range.outside && distance < range.count) return range.inside + distance;
  }
  return {};
}

bool has_many(std::string_view map) {
  IdRange range;
  return next_range(map, range) && (range.count > 1 || !map.empty());
}

Ids own_ids(std::uint32_t uid, std::uint32_t gid) {
  Ids ids;
  ids.uids = map_line({uid, uid, 1});
  ids.gids = map_line({gid, gid, 1});
  ids.uid = uid;
  ids.gid = gid;
  return ids;
}

}  // namespace rootlet::sandbox
