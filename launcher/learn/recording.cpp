// SPDX-License-Identifier: MIT
#include "launcher/learn/recording.hpp"

#include <algorithm>
#include <tuple>

namespace rootlet::learn {
namespace {

constexpr std::string_view kWheres[] = {"image", "bind", "scratch", "system", "elsewhere"};
constexpr std::string_view kAccesses[] = {"create", "delete", "list", "metadata", "read", "write"};

}  // namespace

std::string_view name_of(Where where) { return kWheres[static_cast<int>(where)]; }
std::string_view name_of(Access access) { return kAccesses[static_cast<int>(access)]; }

Where where_of(std::string_view name) {
  const auto* found = std::find(std::begin(kWheres), std::end(kWheres), name);
  return found == std::end(kWheres) ? Where::elsewhere : static_cast<Where>(found - kWheres);
}

Access access_of(std::string_view name) {
  const auto* found = std::find(std::begin(kAccesses), std::end(kAccesses), name);
  return found == std::end(kAccesses) ? Access::read : static_cast<Access>(found - kAccesses);
}

void Tally::add(const Tally& other) {
  if (count == 0) first = other.first;
  count += other.count;
  for (const auto& [code, ending] : other.errors) {
    errors[code].exact += ending.exact;
    errors[code].predicted += ending.predicted;
  }
}

std::uint64_t Tally::failed() const {
  std::uint64_t sum = 0;
  for (const auto& [code, ending] : errors) sum += ending.exact + ending.predicted;
  return sum;
}

void Recording::sort() {
  const auto order = [](auto& rows, auto key) {
    std::sort(rows.begin(), rows.end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
  };
  const auto values = [](const CallUse& use) {
    std::vector<std::uint32_t> numbers;
    for (const Argument& argument : use.arguments) numbers.push_back(argument.value);
    return numbers;
  };
  order(calls_used, [&](const CallUse& a) { return std::tuple(a.name, values(a), a.detail); });
  order(paths, [](const PathUse& a) { return std::tuple(a.path, a.access); });
  order(programs, [](const ProgramUse& a) { return std::tuple(a.path, a.as); });
  order(network, [](const NetworkUse& a) {
    return std::tuple(a.direction, a.family, a.type, a.address, a.port);
  });
}

}  // namespace rootlet::learn
