// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtime/run/caller.hpp"

namespace rootlet {

// Tells whether a tree is still what we made: a keyed digest of what stat(2)
// says of each of its files, the time of the last change (ctime) among it,
// which no program can set. The key lies in the rendezvous, hidden inside every
// run, so a tool that may write to the place where trees are kept can neither
// change one unnoticed nor make one itself (decision 0032).
class Stamp {
 public:
  // With this caller's key, made if there is none. Nothing: he has no private
  // runtime directory to keep it in.
  static std::optional<Stamp> of(const Caller& caller);

  // SipHash-2-4 (Aumasson and Bernstein, 2012).
  std::uint64_t hash(const void* bytes, std::size_t size) const;

  // Adds all below the open directory to `sum`, which does not depend on the
  // order in which it is listed, and to `bytes` what it takes on disk. No symlink
  // is followed. `name`: a number for the directory itself. False: not all of
  // it can be looked at.
  bool add_tree(int directory, std::uint64_t name, std::uint64_t& sum, std::uint64_t& bytes) const;

 private:
  std::uint64_t key_[2] = {};
};

}  // namespace rootlet
