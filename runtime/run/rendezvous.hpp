// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/image/keeper.hpp"
#include "runtime/run/caller.hpp"

namespace rootlet {

// The directory in which runs find shared image servers: "rootlet" in the
// caller's runtime directory. Private, local, and hidden inside every run
// (sandbox/hide.hpp).
class Rendezvous {
 public:
  // All places that could be one for this caller, made where the directory
  // around them is there: they are to be hidden whether this run uses one or
  // not, and before any run could make one itself.
  static std::vector<std::string> prepare_all(const Caller& caller);

  // The one of this caller, or why there is none.
  static Result<Rendezvous> open(const Caller& caller);

  // A socket connected to the server of this name; nothing where none listens.
  Result<std::optional<os::Fd>> connect(const std::string& name) const;

  // Tells one socket of this name from the next; empty where there is none.
  std::string version_of(const std::string& name) const;

  // The file with the caller's secret (stamp.hpp), made if it is missing. Only
  // with the lock.
  os::Fd open_key() const;

  // Waits for the lock: who holds it makes or removes a server.
  Status lock() const;
  void unlock() const;

  // The name is ours now, whoever had it; names without a server are removed.
  // Only with the lock, which goes with the offer.
  Result<image::Offer> offer(const std::string& name) &&;

 private:
  explicit Rendezvous(os::Fd directory) : directory_(std::move(directory)) {}
  void sweep() const;

  os::Fd directory_;
};

}  // namespace rootlet
