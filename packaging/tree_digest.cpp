// SPDX-License-Identifier: MIT
#include "packaging/tree_digest.hpp"

#include "packaging/content_hash.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {
namespace {

// Each text behind its length: no two trees give the same bytes.
void put(ContentHash& sum, std::string_view text) {
  const std::string length = std::to_string(text.size()) + ":";
  sum.add(length);
  sum.add(text);
}

void put_node(ContentHash& sum, const Node& node) {
  std::string facts = std::to_string(static_cast<int>(node.kind));
  for (const std::uint64_t number :
       {std::uint64_t{node.mode}, std::uint64_t{node.uid}, std::uint64_t{node.gid},
        static_cast<std::uint64_t>(std::max<std::int64_t>(node.mtime, 0)),
        std::uint64_t{node.major}, std::uint64_t{node.minor}, node.size}) {
    facts += " " + std::to_string(number);
  }
  put(sum, facts);
  put(sum, node.target);
  for (const auto& [name, value] : node.xattrs) {
    put(sum, name);
    put(sum, value);
  }
}

}  // namespace

std::string digest_of(const Tree& tree, const FileDigests& files) {
  ContentHash sum;
  std::unordered_map<const Node*, std::size_t> numbers;
  put(sum, "/");
  put_node(sum, tree.root());
  tree.each([&](const std::string& path, const NodePtr& node) {
    if (path == kDigestPath) return;
    put(sum, path);
    // A second name of the same file says which it is.
    const auto [at, first] = numbers.try_emplace(node.get(), numbers.size());
    if (!first) {
      put(sum, "=" + std::to_string(at->second));
      return;
    }
    put_node(sum, *node);
    if (!node->is_file()) return;
    const auto file = files.find(node.get());
    put(sum, file == files.end() ? "" : file->second);
  });
  return "sha256:" + sum.finish();
}

Result<std::string> read_digest_of(const Tree& tree) {
  FileDigests digests;
  ContentHash sum;
  std::string buffer(1 << 20, '\0');
  Status status = Done{};
  const auto read = [&](const Node& node) -> Status {
    const OpenContent content = TRY(node.content.open());
    for (std::uint64_t at = 0; at < node.size;) {
      const std::size_t size = std::min<std::uint64_t>(buffer.size(), node.size - at);
      TRY(content.read_at(at, buffer.data(), size));
      sum.add({buffer.data(), size});
      at += size;
    }
    digests[&node] = sum.finish();
    return Done{};
  };
  tree.each([&](const std::string&, const NodePtr& node) {
    if (status.ok() && node->is_file() && !digests.contains(node.get())) status = read(*node);
  });
  if (!status.ok()) return status.error();
  return digest_of(tree, digests);
}

}  // namespace rootlet::packaging
