// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/run/source.hpp"
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
  // The least versions that are run, by the site's and the user's file: a signed
  // image that is older was replaced by somebody who kept it.
  struct Least {
    std::string name, version;
  };
  std::vector<Least> minimum;
  bool whole_files = false;  // what reads them checks nothing (mount=kernel)

  // The mode that holds. Errors: less was asked for than the site wants.
  Result<Verify> mode() const;
  trust::KeyStore::Whose whose_keys() const;

  static VerifySettings& of_this_run();
};

// An image that was judged, if it was to be.
struct JudgedFile {
  os::Fd fd;
  // It was judged by its seal alone: what is run must have the one of this digest
  // ("sha256:..."; empty: any).
  std::string seal;
};

// Opens the file or directory that `text` (of `rootlet run`) names, and where
// signatures are asked for judges it before any of it is read as an image. One
// that is signed in its seal is not read for it: its bytes are checked as the run
// reads them. Errors: `require`, and the signature is not good; a directory,
// which can carry none ("/", the host itself, excepted).
Result<JudgedFile> open_judged(const std::string& text);

// Whether the image that was opened is the one that was judged.
Status check_judged(const std::string& seal, const Source& source, const std::string& text);

// Options::judge: the same for an image that goes with a run, and is open already.
Status judge_open_image(const Source& source, const std::string& text);

}  // namespace rootlet
