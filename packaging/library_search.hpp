// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/elf_file.hpp"

namespace rootlet::packaging {

// Where the image's own dynamic loader looks for libraries: ld.so(8) told for
// a tree that nobody has entered yet.
class LibrarySearch {
 public:
  // LIBRARY_PATH: what the policy puts into LD_LIBRARY_PATH, or empty.
  LibrarySearch(const Tree& tree, std::uint16_t machine, const std::string& library_path);

  // The place of a needed library. `origin` is the directory of the ELF file
  // that needs it, `rpath` and `runpath` are its own, inherited ones included.
  // The error is ENOENT where nothing fits.
  Result<Tree::Place> find(const std::string& name, const std::string& origin,
                           const std::vector<std::string>& rpath,
                           const std::vector<std::string>& runpath) const;

 private:
  void read_configuration(const std::string& path, int depth);
  bool fits(const Tree::Place& place) const;
  std::vector<std::string> expand(const std::string& directory, const std::string& origin) const;

  const Tree& tree_;
  std::uint16_t machine_;
  std::vector<std::string> environment_;  // LD_LIBRARY_PATH
  std::vector<std::string> system_;       // ld.so.conf, then the default directories
};

}  // namespace rootlet::packaging
