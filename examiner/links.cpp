// SPDX-License-Identifier: MIT
#include <vector>

#include "examiner/archive.hpp"

namespace rootlet::examiner {
namespace {

constexpr int kMostJumps = 40;  // as the kernel has it, path_resolution(7)

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += (path.empty() ? "" : "/") + part;
  return path;
}

}  // namespace

void Links::add(const Member& member) {
  kinds_[member.path] = member.kind;
  if (member.kind == 'l') targets_[member.path] = member.target;
  if (member.kind == 'h') targets_[member.path] = "/" + member.target;
}

char Links::kind(const std::string& path) const {
  const auto found = kinds_.find(path);
  return found == kinds_.end() ? '\0' : found->second;
}

std::string Links::resolve(const std::string& path) const {
  // Backwards, so that the next part is at the end.
  std::vector<std::string> wanted = parts_of(path), done;
  wanted = {wanted.rbegin(), wanted.rend()};
  for (int jumps = 0; !wanted.empty();) {
    const std::string part = wanted.back();
    wanted.pop_back();
    if (part == ".") continue;
    if (part == "..") {  // "/.." is "/"
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(part);
    const auto link = targets_.find(joined(done));
    if (link == targets_.end()) continue;
    if (++jumps > kMostJumps) return {};
    if (link->second.starts_with('/')) {
      done.clear();
    } else {
      done.pop_back();
    }
    const auto more = parts_of(link->second);
    wanted.insert(wanted.end(), more.rbegin(), more.rend());
  }
  const std::string found = joined(done);
  return has(found) ? found : std::string();
}

Result<Links> read_links(Archive& archive) {
  Links links;
  TRY(archive.walk([&](const Member& member, Content&) -> Status {
    links.add(member);
    return Done{};
  }));
  return links;
}

}  // namespace rootlet::examiner
