// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::os {

// The process that started this one, where a run is to end with it.
//
// By a descriptor of the process, never by PR_SET_PDEATHSIG: that signal comes
// when the *thread* ends which forked (prctl(2)), and threads of a JVM come and
// go while it lives on.
class Parent {
 public:
  static Parent& of_this_process();

  // `expected`: its number as it knows it, or 0 for whoever it is. An error
  // where it has ended already, or is out of sight.
  Status watch(pid_t expected);

  // Readable once it has ended; -1 where it is not watched.
  int descriptor() const { return ended_.get(); }
  bool has_ended() const;
  pid_t number() const { return number_; }  // 0 where it is not watched

  // Whether a runtime directory is for the servers of this parent alone: made by
  // the first run, gone with the last server.
  bool owns(const std::string& directory) const;

  static Error end_error();

 private:
  Fd ended_;
  pid_t number_ = 0;
};

}  // namespace rootlet::os
