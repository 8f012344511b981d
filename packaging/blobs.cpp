// SPDX-License-Identifier: MIT
#include "packaging/blobs.hpp"

#include <algorithm>

#include "packaging/archive_stream.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the image";
// The OCI distribution specification lets registries refuse larger ones.
constexpr std::uint64_t kLargestDocument = 4 << 20;

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Error wrong(const std::string& where, const char* key, std::string_view wanted) {
  return plain_error(kRead, where, std::string(key) + " is not " + std::string(wanted));
}

}  // namespace

Result<Descriptor> read_descriptor(const Json& json, const std::string& where) {
  if (!json.is_object()) return plain_error(kRead, where, "a descriptor is no object");
  Descriptor out;
  out.media_type = TRY(json_text(json, "mediaType", where));
  out.digest = TRY(json_text(json, "digest", where));
  const auto size = json.find("size");
  if (size == json.end() || !size->is_number_unsigned()) {
    return wrong(where, "size", "a number of bytes");
  }
  out.size = size->get<std::uint64_t>();
  const bool sha256 = out.digest.starts_with("sha256:") && out.digest.size() == 7 + 64 &&
                      is_hex(out.digest.substr(7));
  if (!sha256) return plain_error(kRead, where, out.digest + ": not a digest of sha256");
  return out;
}

Error Blobs::damaged(const std::string& what, std::string_view reason) const {
  return plain_error(kRead, name_ + ": " + what, reason);
}

Result<NodePtr> Blobs::file(const std::string& path) const {
  const auto place = files_.resolve(path);
  if (!place.ok() || !place.value().node->is_file()) return damaged(path, "the image lacks it");
  return place.value().node;
}

Result<NodePtr> Blobs::blob(const Descriptor& descriptor) const {
  NodePtr node = TRY(file("blobs/sha256/" + descriptor.digest.substr(7)));
  if (node->size != descriptor.size) {
    return damaged(descriptor.digest, "it has " + std::to_string(node->size) + " bytes, not " +
                                          std::to_string(descriptor.size) +
                                          " as its manifest says");
  }
  const std::string digest = TRY(digest_of(*node));
  if (digest != descriptor.digest) {
    return damaged(descriptor.digest, "its bytes have the digest " + digest);
  }
  return node;
}

Result<Json> Blobs::document(const Descriptor& descriptor) const {
  if (descriptor.size > kLargestDocument) {
    return damaged(descriptor.digest, "a document larger than 4 MiB");
  }
  return parse(*TRY(blob(descriptor)), descriptor.digest);
}

Result<Json> Blobs::document(const std::string& path) const {
  return parse(*TRY(file(path)), path);
}

Result<Json> Blobs::parse(const Node& node, const std::string& path) const {
  if (node.size > kLargestDocument) return damaged(path, "a document larger than 4 MiB");
  std::string text(node.size, '\0');
  const OpenContent content = TRY(node.content.open());
  TRY(content.read_at(0, text.data(), text.size()));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return damaged(path, "no JSON");
  return json;
}

Result<std::string> digest_of(const Node& node) {
  const OpenContent content = TRY(node.content.open());
  ContentHash sha;
  std::string buffer(1 << 20, '\0');
  for (std::uint64_t at = 0; at < node.size;) {
    const std::size_t size = std::min<std::uint64_t>(buffer.size(), node.size - at);
    TRY(content.read_at(at, buffer.data(), size));
    sha.add({buffer.data(), size});
    at += size;
  }
  return "sha256:" + sha.finish();
}

Result<std::string> json_text(const Json& json, const char* key, const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string()) return wrong(where, key, "a text");
  std::string text = found->get<std::string>();
  if (text.find('\0') != std::string::npos) return wrong(where, key, "a text without NUL");
  return text;
}

Result<std::vector<std::string>> json_list(const Json& json, const char* key,
                                           const std::string& where) {
  std::vector<std::string> list;
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return list;
  if (!found->is_array()) return wrong(where, key, "a list of texts");
  for (const Json& item : *found) {
    if (!item.is_string() || item.get<std::string>().find('\0') != std::string::npos) {
      return wrong(where, key, "a list of texts");
    }
    list.push_back(item.get<std::string>());
  }
  return list;
}

Json json_object(const Json& json, const char* key) {
  if (!json.is_object()) return Json::object();
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : Json::object();
}

}  // namespace rootlet::packaging
