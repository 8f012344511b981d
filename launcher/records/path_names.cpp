// SPDX-License-Identifier: MIT
#include "launcher/records/path_names.hpp"

#include <algorithm>
#include <string_view>

namespace rootlet::records {
namespace {

bool goes_on(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("_-.+").find(c) != std::string_view::npos;
}

// It begins there, and is no part of a longer name.
bool stands_at(const std::string& text, std::size_t at, const std::string& path) {
  const std::size_t end = at + path.size();
  return (end == text.size() || !goes_on(text[end])) &&
         (at == 0 || (!goes_on(text[at - 1]) && text[at - 1] != '/'));
}

}  // namespace

PathNames::PathNames(Places names) : names_(std::move(names)) {
  std::erase_if(names_, [](const auto& pair) { return pair.first.size() < 2; });
  std::stable_sort(names_.begin(), names_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::string PathNames::of(std::string text) const {
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const auto& [path, name] : names_) {
      if (text.compare(at, path.size(), path) != 0 || !stands_at(text, at, path)) continue;
      text.replace(at, path.size(), name);
      at += name.size();
      break;
    }
  }
  return text;
}

}  // namespace rootlet::records
