// SPDX-License-Identifier: MIT
#include <algorithm>

#include "packaging/container_image.hpp"

namespace rootlet::packaging {
namespace {

constexpr int kDeepest = 8;  // indexes in indexes
constexpr std::size_t kMostLayers = 1024;
constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kContainerdName = "io.containerd.image.name";

struct Candidate {
  Descriptor descriptor;
  std::string platform;  // empty: not said
  std::string reference;
};

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string platform_of(const Json& entry) {
  const Json platform = json_object(entry, "platform");
  if (platform.empty()) return "";
  std::string text = text_at(platform, "os") + "/" + text_at(platform, "architecture");
  const std::string variant = text_at(platform, "variant");
  return variant.empty() ? text : text + "/" + variant;
}

bool is_index(const Json& document) {
  return document.is_object() && document.contains("manifests") && document["manifests"].is_array();
}

// All manifests below an index. The digests make a loop impossible to write
// honestly; the depth ends what is written otherwise.
Status collect(const Blobs& blobs, const Json& index, const std::string& where, int depth,
               const Candidate& above, std::vector<Candidate>& out) {
  if (!is_index(index)) return blobs.damaged(where, "it lists no manifests");
  if (depth > kDeepest) {
    return blobs.damaged(where, "its indexes lead into one another more than 8 deep");
  }
  for (const Json& entry : index["manifests"]) {
    if (out.size() > 10000) return blobs.damaged(where, "it lists more than 10,000 manifests");
    Candidate candidate = above;
    candidate.descriptor = TRY(read_descriptor(entry, where));
    const std::string platform = platform_of(entry);
    if (!platform.empty()) candidate.platform = platform;
    const Json notes = json_object(entry, "annotations");
    if (notes.contains("vnd.docker.reference.type")) continue;  // an attestation, no image
    std::string reference = text_at(notes, kContainerdName);
    if (reference.empty()) reference = text_at(notes, kRefName);
    if (!reference.empty()) candidate.reference = reference;
    const std::string& type = candidate.descriptor.media_type;
    if (type.find("index") != std::string::npos ||
        type.find("manifest.list") != std::string::npos) {
      const Json inner = TRY(blobs.document(candidate.descriptor));
      TRY(collect(blobs, inner, candidate.descriptor.digest, depth + 1, candidate, out));
    } else {
      out.push_back(std::move(candidate));
    }
  }
  return Done{};
}

bool names_tag(const std::string& reference, const std::string& tag) {
  return reference == tag || reference.ends_with(":" + tag) || reference.ends_with("/" + tag);
}

std::string listed(const std::vector<Candidate>& candidates, bool tags) {
  std::vector<std::string> words;
  for (const Candidate& one : candidates) {
    const std::string& word = tags ? one.reference : one.platform;
    if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) {
      words.push_back(word);
    }
  }
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none is named" : text;
}

// linux/arm64/v8 is what is meant by linux/arm64.
bool fits(const std::string& has, const std::string& wanted) {
  return has.empty() || has == wanted || has.starts_with(wanted + "/");
}

Result<Candidate> choose(const Blobs& blobs, std::vector<Candidate> all, const Choice& choice) {
  if (!choice.tag.empty()) {
    std::vector<Candidate> tagged;
    for (const Candidate& one : all) {
      if (names_tag(one.reference, choice.tag)) tagged.push_back(one);
    }
    if (tagged.empty()) {
      return blobs.damaged(choice.tag, "no image of this name; there are: " + listed(all, true));
    }
    all = std::move(tagged);
  }
  std::vector<Candidate> fitting;
  for (const Candidate& one : all) {
    if (fits(one.platform, choice.platform)) fitting.push_back(one);
  }
  if (fitting.empty()) {
    Error error = blobs.damaged(choice.platform,
                                "no image for this platform; there are: " + listed(all, false));
    error.hint = "name one with --platform OS/ARCH, and the stub for it with --stub";
    return error;
  }
  const auto other = std::find_if(fitting.begin(), fitting.end(), [&](const Candidate& one) {
    return one.reference != fitting.front().reference;
  });
  if (other != fitting.end()) {
    Error error = blobs.damaged("which image?", "it holds several: " + listed(fitting, true));
    error.hint = "name one behind a colon: oci:PATH:TAG";
    return error;
  }
  return fitting.front();
}

Result<ContainerImage> read_manifest(const Blobs& blobs, const Candidate& chosen) {
  const std::string& where = chosen.descriptor.digest;
  const Json manifest = TRY(blobs.document(chosen.descriptor));
  if (!manifest.is_object() || !manifest.contains("config") || !manifest.contains("layers") ||
      !manifest["layers"].is_array()) {
    return blobs.damaged(where, "a manifest without config and layers (schema 1?)");
  }
  ContainerImage image;
  image.digest = where;
  image.reference = chosen.reference;
  const Descriptor config = TRY(read_descriptor(manifest["config"], where));
  if (config.media_type.find("image") == std::string::npos) {
    return blobs.damaged(where, "not a container image but " + config.media_type);
  }
  image.configuration = TRY(blobs.document(config));
  if (manifest["layers"].size() > kMostLayers) return blobs.damaged(where, "too many layers");
  for (const Json& entry : manifest["layers"]) {
    const Descriptor layer = TRY(read_descriptor(entry, where));
    if (layer.media_type.find("encrypted") != std::string::npos) {
      return blobs.damaged(layer.digest, "an encrypted layer");
    }
    if (layer.media_type.find("tar") == std::string::npos) {
      return blobs.damaged(layer.digest, "not a layer but " + layer.media_type);
    }
    image.layers.push_back(TRY(blobs.blob(layer)));
    image.names.push_back(layer.digest);
  }
  return image;
}

}  // namespace

bool looks_like_oci(const Tree& files) {
  const NodePtr index = files.find("index.json");
  const NodePtr layout = files.find("oci-layout");
  return index && index->is_file() && layout && layout->is_file();
}

Result<ContainerImage> choose_oci(const Blobs& blobs, const Choice& choice) {
  std::vector<Candidate> all;
  const Json index = TRY(blobs.document("index.json"));
  TRY(collect(blobs, index, "index.json", 1, {}, all));
  if (all.empty()) return blobs.damaged("index.json", "it lists no image");
  return read_manifest(blobs, TRY(choose(blobs, std::move(all), choice)));
}

}  // namespace rootlet::packaging
