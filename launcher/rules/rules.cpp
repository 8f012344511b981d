// SPDX-License-Identifier: MIT
#include "launcher/rules/rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

namespace rootlet::rules {
namespace {

constexpr std::array<std::pair<Access, std::string_view>, 6> kAccess{{
    {Access::create, "create"},
    {Access::remove, "delete"},
    {Access::list, "list"},
    {Access::metadata, "metadata"},
    {Access::read, "read"},
    {Access::write, "write"},
}};

auto key(const SystemCall& call) { return std::tie(call.name, call.arguments); }
auto key(const Path& path) { return std::tie(path.path, path.below); }
auto key(const Program& program) { return std::tie(program.path, program.below); }
auto key(const Network& net) {
  return std::tie(net.direction, net.family, net.type, net.address, net.port);
}

void join(Path& into, const Path& other) {
  into.access.insert(other.access.begin(), other.access.end());
}
template <typename Entry>
void join(Entry&, const Entry&) {}

// Sorted by what an entry says; its mentions become one.
template <typename Entry>
void sort_and_join(std::vector<Entry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return key(a) < key(b); });
  std::vector<Entry> once;
  for (Entry& entry : entries) {
    if (!once.empty() && key(once.back()) == key(entry)) {
      once.back().evidence.add(entry.evidence);
      join(once.back(), entry);
    } else {
      entry.evidence.add({});
      once.push_back(std::move(entry));
    }
  }
  entries = std::move(once);
}

}  // namespace

void Evidence::add(const Evidence& other) {
  runs.insert(runs.end(), other.runs.begin(), other.runs.end());
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  count += other.count;
}

std::string Value::text() const {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  std::string out = "0x" + std::string(digits, end);
  return name.empty() ? out : out + " " + name;
}

std::optional<Value> Value::from(std::string_view text) {
  Value value;
  const std::size_t blank = text.find(' ');
  std::string_view digits = text.substr(0, blank);
  if (blank != std::string_view::npos) value.name = text.substr(blank + 1);
  const bool hex = digits.starts_with("0x");
  if (hex) digits.remove_prefix(2);
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value.number, hex ? 16 : 10);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != end) return {};
  return value;
}

std::string_view name_of(Access access) {
  for (const auto& [kind, name] : kAccess) {
    if (kind == access) return name;
  }
  return "";
}

std::optional<Access> access_of(std::string_view name) {
  for (const auto& [kind, known] : kAccess) {
    if (known == name) return kind;
  }
  return {};
}

void Rules::normalise() {
  for (SystemCall& call : system_calls) {
    for (Condition& condition : call.arguments) {
      auto& values = condition.values;
      std::sort(values.begin(), values.end());
      values.erase(std::unique(values.begin(), values.end()), values.end());
    }
    std::sort(call.arguments.begin(), call.arguments.end());
  }
  sort_and_join(system_calls);
  sort_and_join(paths);
  sort_and_join(programs);
  sort_and_join(network);
  std::stable_sort(runs.begin(), runs.end(),
                   [](const Run& a, const Run& b) { return a.name < b.name; });
}

}  // namespace rootlet::rules
