// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/blobs.hpp"
#include "packaging/source.hpp"

namespace rootlet::packaging {

// What one image of a layout is made of.
struct ContainerImage {
  Json configuration;
  std::vector<NodePtr> layers;     // the lowest first, compressed or not
  std::vector<std::string> names;  // of the layers, for messages
  std::string digest;              // of the manifest, or of the configuration
  std::string reference;           // NAME[:TAG]; may be empty
};

// Which one: an OS/ARCH[/VARIANT], and a tag where the layout holds several.
struct Choice {
  std::string platform, tag;
};

// From an OCI layout (oci-layout, index.json, blobs/).
Result<ContainerImage> choose_oci(const Blobs& blobs, const Choice& choice);

// From what `docker save` wrote without one (manifest.json).
Result<ContainerImage> choose_docker(const Blobs& blobs, const Choice& choice);

// Whether a directory or an archive is one of these, by what lies at its top.
bool looks_like_oci(const Tree& files);
bool looks_like_docker(const Tree& files);

// What an image's configuration says about running it, as a policy; `notes`
// receive what has no counterpart.
Result<Policy> policy_of(const ContainerImage& image, std::vector<std::string>& notes);

}  // namespace rootlet::packaging
