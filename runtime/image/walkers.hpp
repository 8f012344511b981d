// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rootlet::image {

// What is known of those who list directories: do they ask for the attributes
// of what they found (ls -l, tar, cp -r), or for names alone (find, a shell's *)?
//
// READDIRPLUS answers both at once. An entry with its attributes costs an inode
// read here and two objects made in the kernel, 3 us; an attribute that is asked
// for by itself costs ten times that. So the files of small directories are
// listed by name alone until it has shown what the walkers do, and then either
// all are or none; directories, which whoever descends needs, have attributes
// always. Quiet for some seconds, and it begins anew. Used with the library's
// lock held.
class Walkers {
 public:
  // Whether a listing of that directory, whose entries take so many bytes in
  // the image, is to give attributes of all that it holds.
  bool want_all(std::uint64_t directory, std::size_t bytes) const;

  // A listing gave the names of so many files without their attributes.
  void listed(std::uint64_t directory, std::size_t files);

  // Somebody asks by its name for a file in that directory. True when that
  // settles it: what take_listings() hands out is then to be listed anew.
  bool asked(std::uint64_t directory);

  // The directories that a whole walk listed by name alone, which the kernel
  // keeps as they are; none afterwards.
  std::vector<std::uint64_t> take_listings();

  // What walkers want is not known any more. What the kernel keeps is.
  void forget();

 private:
  enum class Want {
    not_known,
    names,
    all
  };

  std::uint64_t& place_of(std::uint64_t directory);
  void remember(std::uint64_t directory);

  Want want_ = Want::not_known;
  std::size_t named_ = 0, asked_ = 0;    // files, of those listed by name alone
  std::vector<std::uint64_t> listings_;  // a hash table, at most half full; 0: a free place
  std::size_t count_ = 0;
};

}  // namespace rootlet::image
