// SPDX-License-Identifier: MIT
#include "packaging/layout.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {
namespace {

// Beyond this the files for the start are too many to be left uncompressed,
// and only the program itself, its loader and libc are.
constexpr std::uint64_t kUncompressedAtMost = 64 << 20;

std::vector<NodePtr> needed_at_start(const Tree& tree, const Check& check) {
  std::vector<NodePtr> files{tree.find(kPolicyPath), tree.find("AppRun")};
  std::uint64_t total = 0;
  for (const Tree::Place& place : check.files()) total += place.node->size;
  for (std::size_t i = 0; i < check.files().size(); ++i) {
    const Tree::Place& place = check.files()[i];
    const bool essential = i < 2 || name_of(place.path).starts_with("libc.");
    if (total <= kUncompressedAtMost || essential) files.push_back(place.node);
  }
  return files;
}

}  // namespace

Layout lay_out(const Tree& tree, const Check& check, const std::vector<std::string>& order) {
  std::unordered_set<const Node*> packed;  // what was trimmed, or lies in the base, is not
  tree.each([&](const std::string&, const NodePtr& node) { packed.insert(node.get()); });
  Layout layout;
  layout.first = needed_at_start(tree, check);
  std::erase_if(layout.first, [&](const NodePtr& node) {
    return !node || !node->is_file() || !packed.contains(node.get());
  });
  std::unordered_map<const Node*, std::size_t> turns;
  for (const std::string& path : order) {
    const auto place = tree.resolve("/" + path);
    if (!place.ok() || !place.value().node->is_file()) {
      layout.unknown.push_back(path);
      continue;
    }
    const NodePtr& node = place.value().node;
    if (!turns.try_emplace(node.get(), turns.size()).second) continue;
    if (packed.contains(node.get())) layout.next.push_back(node);
  }
  // What was not seen in the order keeps its place, behind the rest. The policy
  // is read before anything that a trace can see.
  const auto turn = [&](const NodePtr& node) {
    const auto found = turns.find(node.get());
    return found == turns.end() ? turns.size() : found->second;
  };
  if (!layout.first.empty()) {
    std::stable_sort(layout.first.begin() + 1, layout.first.end(),
                     [&](const NodePtr& a, const NodePtr& b) { return turn(a) < turn(b); });
  }
  return layout;
}

}  // namespace rootlet::packaging
