// SPDX-License-Identifier: MIT
#include "packaging/relocate.hpp"

#include <algorithm>
#include <set>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRelocate = "relocate the environment";
constexpr std::uint64_t kLargest = 1ull << 30;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Every string keeps its place and the room that it has.
std::string replaced_in_binary(std::string bytes, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos;) {
    const std::size_t end = std::min(bytes.find('\0', at), bytes.size());
    std::string text = replaced(bytes.substr(at, end - at), from, to);
    text.resize(end - at, '\0');
    bytes.replace(at, end - at, text);
    at = end;
  }
  return bytes;
}

Status relocate_file(Node& node, const std::string& path, const std::string& from,
                     const std::string& to) {
  if (node.size < from.size() || path.ends_with(".pyc")) return Done{};
  if (node.size > kLargest) return plain_error(kRelocate, path, "it is larger than 1 GiB");
  std::string bytes(node.size, '\0');
  const OpenContent content = TRY(node.content.open());
  TRY(content.read_at(0, bytes.data(), bytes.size()));
  if (bytes.find(from) == std::string::npos) return Done{};
  const bool binary = bytes.find('\0') != std::string::npos;
  bytes = binary ? replaced_in_binary(std::move(bytes), from, to)
                 : replaced(std::move(bytes), from, to);
  node.size = bytes.size();
  node.content = Content::of_text(std::move(bytes));
  return Done{};
}

}  // namespace

Status relocate(Tree& files, const std::string& from, const std::string& to) {
  if (to.size() > from.size()) {
    return plain_error(kRelocate, from, "its path is too short to become " + to,
                       "make it again at a path outside of /home, /root and /tmp");
  }
  Status status = Done{};
  std::set<const Node*> seen;
  files.each([&](const std::string& path, const NodePtr& node) {
    if (!status.ok() || !seen.insert(node.get()).second) return;
    if (node->is_symlink()) node->target = replaced(node->target, from, to);
    if (node->is_file()) status = relocate_file(*node, path, from, to);
  });
  return status;
}

}  // namespace rootlet::packaging
