// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include "packaging/library_search.hpp"

namespace rootlet::packaging {

// Finds out, before anything is packed, whether the programs of an image can
// start: that each is there and executable, is an ELF file of the right
// machine or a script, and has its interpreter and all its libraries inside.
// Everything needed is collected on the way, in the order of its use.
class Check {
 public:
  Check(const Tree& tree, std::uint16_t machine, const std::vector<std::string>& env);

  // PATH is absolute, inside. The error names the program, the first things
  // that are missing, and what to add.
  Status program(const std::string& path);

  // The files that the checked programs need at start.
  const std::vector<Tree::Place>& files() const { return files_; }

  // A program's absolute path: a name without a slash is looked up in the
  // directories of PATH. Empty: not there.
  std::string find_program(const std::string& name) const;

 private:
  Status start(const std::string& path, const std::string& asked, int depth);
  Status script(const Tree::Place& place, const std::string& line, const std::string& asked,
                int depth);
  Status elf(const Tree::Place& place, const ElfFile& file);
  Status libraries(const Tree::Place& place, const ElfFile& file);
  bool use(const Tree::Place& place);

  const Tree& tree_;
  std::uint16_t machine_;
  std::vector<std::string> path_;
  LibrarySearch search_;
  std::vector<Tree::Place> files_;
  std::set<const Node*> used_;
};

// PATH inside an image whose policy sets none: what the runtime sets.
inline constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Up to `limit` programs that could be an entry: the executables of the PATH
// directories that are no links.
std::vector<std::string> candidate_programs(const Tree& tree, std::size_t limit);

}  // namespace rootlet::packaging
