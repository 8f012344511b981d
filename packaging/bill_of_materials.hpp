// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// A package that the image holds, as the records of its package manager tell.
struct Component {
  std::string type;  // of a package URL: deb, apk, pypi, cran, conda
  std::string name, version, architecture;
  std::string licence;       // as its record says it; may be empty
  std::string source;        // deb: the source package, where it is called otherwise
  std::string record;        // the path of the record
  std::string distribution;  // deb, apk: the ID of os-release

  std::string url() const;  // "pkg:deb/debian/hmmer@3.3.2?arch=amd64"
};

// Reads dpkg's status (also distroless images' status.d), apk's database,
// Python's dist-info and egg-info, R's DESCRIPTION files and conda-meta.
// Records that cannot be parsed are left out. In the order of their URLs.
std::vector<Component> find_components(const Tree& tree);

// CycloneDX 1.5 in JSON. No time and no random number is in it: the same tree
// gives the same bytes.
std::string bill_of_materials(const std::vector<Component>& components, const Policy& policy);

// Where `build` puts it.
inline constexpr std::string_view kBillPath = ".rootlet/bom.cdx.json";

}  // namespace rootlet::packaging
