// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/os/fd.hpp"
#include "trust/key_store.hpp"

namespace rootlet {

// What becomes of an image whose signature is not a good one.
enum class Verify {
  off,  // nobody looks
  warn,
  require
};
std::optional<Verify> parse_verify(std::string_view word);  // "off", "warn", "require"

// What was said of signatures, of which a packed file knows nothing: a stub
// cannot judge the file that it is in.
struct VerifySettings {
  std::optional<Verify> asked;    // by the command line, the environment, the user's file
  Verify at_least = Verify::off;  // by the site's file
  bool site_keys_only = false;    // the keys of users do not count

  // The mode that holds. Errors: less was asked for than the site wants.
  Result<Verify> mode() const;
  trust::KeyStore::Whose whose_keys() const;

  static VerifySettings& of_this_run();
};

// Opens the file or directory that `text` (of `rootlet run`) names, and where
// signatures are asked for judges it before any of it is read as an image.
// Errors: `require`, and the signature is not good; a directory, which can
// carry none ("/", the host itself, excepted).
Result<os::Fd> open_judged(const std::string& text);

}  // namespace rootlet
