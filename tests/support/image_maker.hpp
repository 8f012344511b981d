// SPDX-License-Identifier: MIT
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "packaging/archive_stream.hpp"
#include "tests/support/temp_dir.hpp"

namespace rootlet::test {

inline std::string sha256(const std::string& bytes) {
  packaging::ContentHash sha;
  sha.add(bytes);
  return "sha256:" + sha.finish();
}

// Bytes through one of libarchive's filters.
inline std::string packed(const std::string& bytes, int (*filter)(archive*)) {
  std::string out(bytes.size() + bytes.size() / 2 + 65536, '\0');
  std::size_t used = 0;
  archive* writer = ::archive_write_new();
  filter(writer);
  ::archive_write_set_format_raw(writer);
  ::archive_write_open_memory(writer, out.data(), out.size(), &used);
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_filetype(entry, AE_IFREG);
  ::archive_write_header(writer, entry);
  ::archive_write_data(writer, bytes.data(), bytes.size());
  ::archive_write_close(writer);
  ::archive_entry_free(entry);
  ::archive_write_free(writer);
  out.resize(used);
  return out;
}

// Writes OCI layouts blob by blob, so that a test can say what no tool would.
class ImageMaker {
 public:
  using Json = nlohmann::json;

  explicit ImageMaker(const TempDir& dir) : dir_(dir) {
    dir.write("oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
  }

  static std::string blob_path(const std::string& digest) {
    return "blobs/sha256/" + digest.substr(7);
  }

  Json blob(const std::string& bytes, const std::string& type) {
    const std::string digest = sha256(bytes);
    dir_.write(blob_path(digest), bytes);
    return {{"mediaType", type}, {"digest", digest}, {"size", bytes.size()}};
  }

  // A layer's tar, and how it is stored.
  ImageMaker& layer(const std::string& tar, int (*filter)(archive*) = nullptr) {
    diff_ids_.push_back(sha256(tar));
    layers_.push_back(
        blob(filter ? packed(tar, filter) : tar, "application/vnd.oci.image.layer.v1.tar"));
    return *this;
  }

  Json manifest(Json config = Json::object(), const std::string& architecture = "amd64") {
    const Json image{{"os", "linux"},
                     {"architecture", architecture},
                     {"config", std::move(config)},
                     {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids_}}}};
    const Json described = blob(image.dump(), "application/vnd.oci.image.config.v1+json");
    const Json manifest{{"schemaVersion", 2}, {"config", described}, {"layers", layers_}};
    return blob(manifest.dump(), "application/vnd.oci.image.manifest.v1+json");
  }

  static Json index_of(const std::vector<Json>& manifests) {
    return {{"schemaVersion", 2}, {"manifests", Json(manifests)}};
  }
  void write_index(const std::vector<Json>& manifests) {
    dir_.write("index.json", index_of(manifests).dump());
  }

  // All of it, with one image.
  void finish(Json config = Json::object()) { write_index({manifest(std::move(config))}); }

  const Json& layers() const { return layers_; }

 private:
  const TempDir& dir_;
  Json layers_ = Json::array(), diff_ids_ = Json::array();
};

}  // namespace rootlet::test
