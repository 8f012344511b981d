// SPDX-License-Identifier: MIT
#include <algorithm>

#include "packaging/container_image.hpp"

namespace rootlet::packaging {
namespace {

constexpr const char* kManifest = "manifest.json";
constexpr std::size_t kMostLayers = 1024;

struct Saved {
  std::string configuration;
  std::vector<std::string> tags, layers;
};

Result<std::vector<Saved>> read_saved(const Blobs& blobs) {
  const Json list = TRY(blobs.document(kManifest));
  if (!list.is_array() || list.empty()) return blobs.damaged(kManifest, "it lists no image");
  std::vector<Saved> all;
  for (const Json& entry : list) {
    if (!entry.is_object()) return blobs.damaged(kManifest, "it lists what is no image");
    Saved saved;
    saved.configuration = TRY(json_text(entry, "Config", kManifest));
    saved.tags = TRY(json_list(entry, "RepoTags", kManifest));
    saved.layers = TRY(json_list(entry, "Layers", kManifest));
    all.push_back(std::move(saved));
  }
  return all;
}

Result<Saved> choose(const Blobs& blobs, const std::vector<Saved>& all, const std::string& tag) {
  std::string listed;
  for (const Saved& saved : all) {
    for (const std::string& name : saved.tags) {
      if (!tag.empty() && (name == tag || name.ends_with("/" + tag) || name.ends_with(":" + tag))) {
        return saved;
      }
      listed += (listed.empty() ? "" : ", ") + name;
    }
  }
  if (tag.empty() && all.size() == 1) return all.front();
  Error error = blobs.damaged(tag.empty() ? "which image?" : tag,
                              "the archive holds: " + (listed.empty() ? "no names" : listed));
  error.hint = "name one behind a colon: docker-archive:PATH:NAME";
  return error;
}

// HEX.json, or blobs/sha256/HEX: the name is the digest.
Status compare_name(const Blobs& blobs, const Node& node, const std::string& path) {
  std::string name = name_of(path);
  if (name.ends_with(".json")) name.resize(name.size() - 5);
  if (name.size() != 64) return Done{};
  const std::string digest = TRY(digest_of(node));
  if (digest == "sha256:" + name) return Done{};
  return blobs.damaged(path, "its bytes have the digest " + digest);
}

}  // namespace

// Beside a root's usual directories a manifest.json is just a file of it.
bool looks_like_docker(const Tree& files) {
  const NodePtr manifest = files.find(kManifest);
  if (!manifest || !manifest->is_file()) return false;
  for (const char* name : {"bin", "usr", "etc", "lib"}) {
    if (files.find(name)) return false;
  }
  return true;
}

Result<ContainerImage> choose_docker(const Blobs& blobs, const Choice& choice) {
  const std::vector<Saved> all = TRY(read_saved(blobs));
  const Saved saved = TRY(choose(blobs, all, choice.tag));
  if (saved.layers.size() > kMostLayers) return blobs.damaged(kManifest, "too many layers");
  ContainerImage image;
  const NodePtr node = TRY(blobs.file(saved.configuration));
  TRY(compare_name(blobs, *node, saved.configuration));
  image.configuration = TRY(blobs.document(saved.configuration));
  image.digest = TRY(digest_of(*node));
  const auto wanted = std::find_if(saved.tags.begin(), saved.tags.end(), [&](const auto& name) {
    return choice.tag.empty() || name.ends_with(choice.tag);
  });
  if (wanted != saved.tags.end()) image.reference = *wanted;
  for (const std::string& layer : saved.layers) {
    image.layers.push_back(TRY(blobs.file(layer)));
    image.names.push_back(layer);
  }
  return image;
}

}  // namespace rootlet::packaging
