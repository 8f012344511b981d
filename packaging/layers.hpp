// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>

#include "packaging/tar_reader.hpp"
#include "packaging/tree.hpp"

namespace rootlet::packaging {

// The layers of a container image, one put over the other as the OCI image
// specification ("Applying Changesets") has it. A whiteout hides what lower
// layers have, wherever in its own layer it stands. A name that leads through
// a symlink of the image leads where it would lead inside of it.
class Layers {
 public:
  Status apply(TarReader& layer);

  Tree& tree() { return tree_; }

 private:
  Status apply_member(TarReader& layer, Member member);
  Status apply_whiteout(TarReader& layer, const std::string& path,
                        const std::vector<std::string>& parts);
  void hide(Node& parent, const std::string& name, const std::string& path);
  void hide_all(Node& directory, const std::string& path);
  Result<NodePtr> linked(TarReader& layer, const Member& member) const;

  Tree tree_;
  std::set<std::string> own_;  // the paths, without symlinks, of the layer that is applied
};

}  // namespace rootlet::packaging
