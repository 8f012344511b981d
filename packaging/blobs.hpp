// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

using Json = nlohmann::json;

// What a manifest says about another blob.
struct Descriptor {
  std::string media_type, digest;  // "sha256:HEX"
  std::uint64_t size = 0;
};
Result<Descriptor> read_descriptor(const Json& json, const std::string& where);

// The files of a container image, in a directory or an archive: nothing is
// believed before its digest has been compared.
class Blobs {
 public:
  Blobs(const Tree& files, std::string name) : files_(files), name_(std::move(name)) {}

  // A document of at most 4 MiB by its name, not compared with anything.
  Result<Json> document(const std::string& path) const;
  // The same by its descriptor, compared.
  Result<Json> document(const Descriptor& descriptor) const;
  // A file by its name; symlinks lead only to what is in the image.
  Result<NodePtr> file(const std::string& path) const;
  // A blob by its descriptor, compared.
  Result<NodePtr> blob(const Descriptor& descriptor) const;

  bool has(const std::string& path) const { return file(path).ok(); }
  const std::string& name() const { return name_; }
  Error damaged(const std::string& what, std::string_view reason) const;

 private:
  Result<Json> parse(const Node& node, const std::string& path) const;

  const Tree& files_;
  std::string name_;
};

// "sha256:HEX" of a file's bytes.
Result<std::string> digest_of(const Node& node);

// Members of JSON that comes from anywhere; the error names the key.
Result<std::string> json_text(const Json& json, const char* key, const std::string& where);
Result<std::vector<std::string>> json_list(const Json& json, const char* key,
                                           const std::string& where);
// The object under a key; an empty one where it is missing or null.
Json json_object(const Json& json, const char* key);

}  // namespace rootlet::packaging
