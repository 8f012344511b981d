// SPDX-License-Identifier: MIT
#include "launcher/desktop_entry.hpp"

#include <algorithm>

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the desktop entry";
constexpr std::size_t kMostLines = 5000, kLongestLine = 16u << 10;

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && letter != '\t') || byte == 0x7f;
}

bool is_key(std::string_view key) {
  const std::size_t bracket = key.find('[');
  const std::string_view name = key.substr(0, bracket);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), plain)) return false;
  if (bracket == key.npos) return true;
  const std::string_view locale = key.substr(bracket + 1);
  const auto of_locale = [&](char c) { return plain(c) || c == '_' || c == '.' || c == '@'; };
  return locale.size() > 1 && locale.back() == ']' &&
         std::all_of(locale.begin(), locale.end() - 1, of_locale);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80                     ? 1
                               : first >= 0xc2 && first < 0xe0  ? 2
                               : first >= 0xe0 && first < 0xf0  ? 3
                               : first >= 0xf0 && first <= 0xf4 ? 4
                                                                : 0;
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t i = 1; i < length; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[at + 1]) : 0x80;
    // Not the shortest form, a surrogate, beyond U+10FFFF.
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    at += length;
  }
  return true;
}

const std::string* DesktopEntry::Group::find(const std::string& key) const {
  for (const auto& [name_of, value] : values) {
    if (name_of == key) return &value;
  }
  return nullptr;
}

void DesktopEntry::Group::set(const std::string& key, const std::string& value) {
  for (auto& [name_of, old] : values) {
    if (name_of == key) {
      old = value;
      return;
    }
  }
  values.emplace_back(key, value);
}

Result<DesktopEntry> DesktopEntry::parse(std::string_view text) {
  if (text.size() > kLargest) return plain_error(kRead, {}, "it is too large");
  if (!is_utf8(text)) return plain_error(kRead, {}, "it is no UTF-8");
  DesktopEntry entry;
  bool open = false;  // a group that counts
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(text.substr(at, end - at));
    at = end + 1;
    if (++lines > kMostLines) return plain_error(kRead, {}, "it has too many lines");
    if (line.empty() || line.front() == '#') continue;
    const bool sound =
        line.size() <= kLongestLine && std::none_of(line.begin(), line.end(), is_control);
    if (sound && line.front() == '[' && line.back() == ']') {
      const std::string name(line.substr(1, line.size() - 2));
      open = !name.empty() && name.find_first_of("[]") == name.npos && entry.find(name) == nullptr;
      if (open) entry.groups_.push_back({name, {}});
      if (!open) ++entry.left_out_;
      continue;
    }
    const std::size_t equals = line.find('=');
    const std::string key(trimmed(line.substr(0, equals)));
    if (!sound || equals == line.npos || !open || !is_key(key) ||
        entry.groups_.back().find(key) != nullptr) {
      ++entry.left_out_;
      continue;
    }
    entry.groups_.back().values.emplace_back(key, trimmed(line.substr(equals + 1)));
  }
  if (entry.find(kMain) == nullptr) return plain_error(kRead, {}, "it has no [Desktop Entry]");
  return entry;
}

DesktopEntry::Group* DesktopEntry::find(const std::string& name) {
  for (Group& group : groups_) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

const DesktopEntry::Group* DesktopEntry::find(const std::string& name) const {
  return const_cast<DesktopEntry*>(this)->find(name);
}

std::string DesktopEntry::value(const std::string& key) const {
  const std::string* found = find(kMain)->find(key);
  return found != nullptr ? *found : std::string();
}

std::vector<std::string> DesktopEntry::list(const std::string& key) const {
  std::vector<std::string> elements;
  const std::string all = value(key);
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find(';', at), all.size());
    if (end > at) elements.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return elements;
}

std::string DesktopEntry::text() const {
  std::string out;
  for (const Group& group : groups_) {
    out += (out.empty() ? "[" : "\n[") + group.name + "]\n";
    for (const auto& [key, value] : group.values) out += key + "=" + value + "\n";
  }
  return out;
}

}  // namespace rootlet
