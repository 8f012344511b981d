// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// How a self-test is run, and of what.
struct SelfTest {
  std::string image;                    // as `rootlet exec` takes it
  int fd = -1;                          // instead: an open file that has no name yet
  std::vector<std::string> command;     // argv; a path inside
  std::vector<std::string> options;     // more of `rootlet exec`
  std::vector<std::string> data_paths;  // where a base may lie
  unsigned seconds = 60;                // then it counts as hanging
};

// What came of it.
struct SelfTestResult {
  enum class Outcome {
    passed,
    failed,    // it ran, and said no
    could_not  // it was not run, so nothing is known
  };
  Outcome outcome = Outcome::passed;
  std::string reason;  // "it ended with 3", "it hangs: ended after 60 s"; empty: passed
  std::string hint;    // may be empty
  std::string output;  // the end of what it wrote, both streams
  double seconds = 0;
};

// Runs the command in the image's own root, by the `rootlet` beside this
// program: without network, with private /tmp (its current directory) and home
// and nothing of the host, under the policy of the image. Errors: `rootlet` is
// not there, or no process can be made.
Result<SelfTestResult> run_self_test(const SelfTest& test);

// What failed as one error of `build`.
Error self_test_error(const SelfTestResult& result, const std::vector<std::string>& command);

}  // namespace rootlet::packaging
