// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// What `rootlet check` is told.
struct CheckRequest {
  std::vector<std::string> data_paths;  // where bases and data are looked for, too
  bool self_test = true;
  bool content = true;  // read every byte, and compare with the digest
  unsigned seconds = 60;
};

// One thing that was looked at.
struct CheckStep {
  enum class Result {
    ok,
    warning,
    bad,
    unknown  // it could not be told
  };
  std::string what;  // "content", "base", "data", "programs", "lacks", "self-test"
  Result result = Result::ok;
  std::string text, hint;
  std::string output = {};  // of a self-test that failed
};

struct CheckedImage {
  std::string image;  // as `rootlet run` takes it
  std::vector<CheckStep> steps;
};

// Looks into one image, as `rootlet run` takes it, without running any of it but
// its self-test, in its own root. That it cannot be read is a step, too.
CheckedImage check_image(const std::string& image, const CheckRequest& request);

// FILE, or each image of a jar. Errors: FILE cannot be opened, or is neither.
Result<std::vector<CheckedImage>> check_file(const std::string& file, const CheckRequest& request);

// 0 nothing is bad, 1 something is, 125 something could not be told.
int verdict(const std::vector<CheckedImage>& images);

std::string checks_as_text(const std::vector<CheckedImage>& images);
std::string checks_as_json(const std::string& file, const std::vector<CheckedImage>& images);

}  // namespace rootlet
