// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "launcher/image_check.hpp"

namespace rootlet {
namespace {

using Step = CheckStep::Result;

const char* word_of(Step result) {
  switch (result) {
    case Step::ok: return "ok";
    case Step::warning: return "warning";
    case Step::bad: return "bad";
    case Step::unknown: return "unknown";
  }
  return "?";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

bool has(const CheckedImage& image, Step result) {
  for (const CheckStep& step : image.steps) {
    if (step.result == result) return true;
  }
  return false;
}

// The end of what a self-test said, each line set in.
void add_output(std::string& text, const std::string& output) {
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    text += "    | " + printable(output.substr(at, end - at)) + "\n";
    at = end + 1;
  }
}

}  // namespace

int verdict(const std::vector<CheckedImage>& images) {
  int code = 0;
  for (const CheckedImage& image : images) {
    if (has(image, Step::bad)) return 1;
    if (has(image, Step::unknown)) code = 125;
  }
  return code;
}

std::string checks_as_text(const std::vector<CheckedImage>& images) {
  std::string text;
  for (const CheckedImage& image : images) {
    text += printable(image.image) + "\n";
    for (const CheckStep& step : image.steps) {
      text += "  " + padded(step.what, 11) + padded(word_of(step.result), 9) +
              printable(step.text) + "\n";
      if (!step.hint.empty()) text += "    hint: " + printable(step.hint) + "\n";
      add_output(text, step.output);
    }
  }
  return text;
}

std::string checks_as_json(const std::string& file, const std::vector<CheckedImage>& images) {
  nlohmann::ordered_json json;
  json["file"] = file;
  const int code = verdict(images);
  json["ok"] = code == 125 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(code == 0);
  auto& list = json["images"] = nlohmann::ordered_json::array();
  for (const CheckedImage& image : images) {
    nlohmann::ordered_json one;
    one["image"] = image.image;
    auto& steps = one["steps"] = nlohmann::ordered_json::array();
    for (const CheckStep& step : image.steps) {
      steps.push_back({{"what", step.what},
                       {"result", word_of(step.result)},
                       {"text", step.text},
                       {"hint", step.hint},
                       {"output", step.output}});
    }
    list.push_back(one);
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet
