// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <utility>
#include <variant>

#include "runtime/base/error.hpp"

namespace rootlet {

// A value, or the reason why there is none. The runtime throws nothing: after
// a fork an exception would unwind into frames that belong to the parent.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Both implicit, so that `return value;` and `return error;` read alike.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  T& value() & { return require<0>(); }
  const T& value() const& { return require<0>(); }
  T&& value() && { return std::move(require<0>()); }
  const Error& error() const& { return require<1>(); }
  Error&& error() && { return std::move(require<1>()); }

 private:
  // Asking for the wrong one is a bug of ours, never a condition of the host.
  template <std::size_t I>
  auto& require() {
    if (state_.index() != I) std::abort();
    return *std::get_if<I>(&state_);
  }
  template <std::size_t I>
  const auto& require() const {
    if (state_.index() != I) std::abort();
    return *std::get_if<I>(&state_);
  }

  std::variant<T, Error> state_;
};

struct Done {};  // for steps that are done for their effect
using Status = Result<Done>;

// Unwrap a Result, or return its Error from the enclosing function. A GNU
// statement expression: it works with values that can only be moved.
#define TRY(expr)                                                 \
  __extension__({                                                 \
    auto try_result_ = (expr);                                    \
    if (!try_result_.ok()) return std::move(try_result_).error(); \
    std::move(try_result_).value();                               \
  })

}  // namespace rootlet
