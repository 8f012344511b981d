// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "runtime/base/log.hpp"
#include "runtime/image/server.hpp"
#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"
#include "runtime/run/source.hpp"
#include "runtime/sandbox/plan.hpp"

// One image server for several runs of one image (decision 0012).
namespace rootlet {

// A run whose tool is not the caller alone, or that could reach a server from
// inside, has servers of its own.
bool may_share(const sandbox::Plan& plan);

// How long a shared server outlives its last run; 0: this run shares none.
int keep_seconds(const Options& options, const Caller& caller);

// How this run shares the servers of its images.
class Sharing {
 public:
  // An error where sharing was asked for and cannot be.
  static Result<Sharing> of_run(const Options& options, const sandbox::Plan& plan,
                                const Caller& caller, const Log& log);

  // Joins the live server of this image, or starts one that others can join.
  // Nothing: this run needs one of its own, and the log says why.
  Result<std::optional<image::Server>> server_of(Source& source,
                                                 const os::OneProcessor& beside) const;

 private:
  Sharing(const Caller& caller, const Log& log, int keep, bool asked)
      : caller_(caller), log_(log), keep_(keep), asked_(asked) {}

  Result<image::Server> join_or_start(Source& source, const os::OneProcessor& beside) const;

  const Caller& caller_;
  const Log& log_;
  int keep_;    // seconds that a server outlives its last run; 0: none is shared
  bool asked_;  // by an option: then it is an error where it cannot be
};

}  // namespace rootlet
