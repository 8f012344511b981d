// SPDX-License-Identifier: MIT
#include "runtime/run/limits.hpp"

#include <algorithm>

#include "runtime/run/option_rows.hpp"

namespace rootlet {
namespace {

struct Unit {
  char letter;
  std::uint64_t worth;
};
constexpr Unit kBytes[] = {
    {'k', 1ull << 10}, {'m', 1ull << 20}, {'g', 1ull << 30}, {'t', 1ull << 40}};
constexpr Unit kTimes[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

// One limit: how it is written, and how many of what we count its 1 is.
struct Row {
  std::string_view name;
  std::optional<std::uint64_t> Limits::*field;
  std::string_view form;
  std::uint64_t one;  // what "1" is: 1000 thousandths, 1000 milliseconds
  std::span<const Unit> units;
};
constexpr Row kRows[] = {
    {"memory", &Limits::memory, "SIZE[k|m|g|t]", 1, kBytes},
    {"cpus", &Limits::cpus, "NUMBER, as 2 or 0.5", 1000, {}},
    {"pids", &Limits::pids, "NUMBER", 1, {}},
    {"file-size", &Limits::file_size, "SIZE[k|m|g|t]", 1, kBytes},
    {"timeout", &Limits::timeout, "SECONDS, or as 1.5, 2m, 1h", 1000, kTimes},
};

constexpr std::string_view kNames[] = {"memory", "cpus", "pids", "file-size", "timeout"};

const Row* find_row(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// A decimal number with at most three decimals and a unit, in parts of which
// `row.one` make 1. Nothing where it is none, zero, or beyond all reason.
std::optional<std::uint64_t> parse(const Row& row, std::string_view text) {
  constexpr std::uint64_t kMost = 1ull << 50;
  std::uint64_t thousandths = 0;
  std::size_t at = 0;
  int decimals = -1;  // none yet
  for (; at < text.size() && decimals < 3; ++at) {
    if (text[at] == '.' && decimals < 0 && at > 0) {
      decimals = 0;
      continue;
    }
    if (text[at] < '0' || text[at] > '9') break;
    thousandths = thousandths * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (decimals >= 0) ++decimals;
    if (thousandths > kMost) return {};
  }
  if (at == 0 || decimals == 0) return {};
  for (int i = std::max(decimals, 0); i < 3; ++i) thousandths *= 10;
  std::uint64_t worth = 1;
  if (at < text.size()) {
    const char letter = static_cast<char>(text[at] | 0x20);
    const auto unit = std::find_if(row.units.begin(), row.units.end(),
                                   [&](const Unit& u) { return u.letter == letter; });
    if (unit == row.units.end() || at + 1 != text.size()) return {};
    worth = unit->worth;
  }
  if (thousandths > kMost * 1000 / worth / row.one) return {};
  const std::uint64_t value = thousandths * worth * row.one;
  if (value == 0 || value % 1000 != 0) return {};
  return value / 1000;
}

}  // namespace

std::span<const std::string_view> limit_names() { return kNames; }
bool is_limit(std::string_view name) { return find_row(name) != nullptr; }

Status lower_limit(Limits& limits, std::string_view name, const std::string& value) {
  const Row& row = *find_row(name);
  const auto parsed = parse(row, value);
  if (!parsed) return invalid_value(name, value, row.form);
  std::optional<std::uint64_t>& to = limits.*row.field;
  to = std::min(to.value_or(*parsed), *parsed);
  return Done{};
}

std::optional<std::string> limit_text(const Limits& limits, std::string_view name) {
  const Row& row = *find_row(name);
  if (!(limits.*row.field)) return {};
  std::uint64_t value = *(limits.*row.field);
  std::string unit;
  for (std::size_t i = row.units.size(); i-- > 0 && row.one == 1 && unit.empty();) {
    if (value % row.units[i].worth != 0) continue;
    value /= row.units[i].worth;
    unit = row.units[i].letter;
  }
  std::string text = std::string(name) + "=" + std::to_string(value / row.one);
  if (const std::uint64_t rest = value % row.one; rest != 0) {
    std::string decimals = std::to_string(row.one + rest).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    text += "." + decimals;
  }
  return text + unit;
}

}  // namespace rootlet
