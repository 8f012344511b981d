// SPDX-License-Identifier: MIT
#include "launcher/release_check.hpp"

#include "launcher/data_store.hpp"
#include "runtime/run/paths.hpp"

extern char** environ;

namespace rootlet {
namespace {

using Step = CheckStep::Result;

CheckedImage one_step(const std::string& image, Step result, const Error& error) {
  return {image, {{"pin", result, error.message(), error.hint}}};
}

}  // namespace

std::vector<CheckedImage> check_release(const Release& release, const CheckRequest& request) {
  const Caller caller = read_caller("rootlet", environ);
  CheckRequest with_release = request;
  with_release.data_paths.push_back(directory_of(release.file));
  std::vector<CheckedImage> checked;
  const auto look = [&](const Release::Pin& pin, bool is_tool) {
    const auto found = find_pin(pin, release, request.data_paths, caller);
    if (!found.ok()) {
      checked.push_back(one_step(pin.name, Step::unknown, found.error()));
    } else if (!found.value().fd.valid()) {
      checked.push_back(one_step(pin.name, Step::bad, pin_is_missing(pin, release, found.value())));
    } else if (is_tool) {
      checked.push_back(check_image(found.value().file, with_release));
      checked.back().steps.insert(checked.back().steps.begin(), {"pin", Step::ok, pin.digest, {}});
    } else {
      const Status whole = request.content ? check_whole(found.value().file, {}) : Status(Done{});
      checked.push_back(whole.ok()
                            ? CheckedImage{found.value().file, {{"pin", Step::ok, pin.digest, {}}}}
                            : one_step(found.value().file, Step::bad, whole.error()));
    }
  };
  for (const Release::Pin& tool : release.tools) look(tool, true);
  for (const Release::Pin& data : release.data) {
    if (data.attached) look(data, false);
  }
  return checked;
}

}  // namespace rootlet
