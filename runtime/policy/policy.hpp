// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// What the maker of an image says about it. `build` writes it from
// rootlet.toml; the stub reads only the compiled form, /.rootlet/policy.bin.
struct Policy {
  // [tool]
  std::string name, version, licence, url;
  std::vector<std::string> entrypoint;  // the program (absolute, inside) and its first arguments
  std::vector<std::string> arguments;   // used only when the caller gives none
  std::vector<std::pair<std::string, std::string>> commands;  // name -> absolute path inside
  std::string dispatch;                                       // "" or "argument"
  std::string workdir;                                        // absolute, inside; "" means "/"
  std::vector<std::string> env;                               // "KEY=VALUE"
  std::vector<std::string> selftest;                          // argv of the self-test

  // [isolation]: option names of interface section 2 with their values, in
  // the order given. A flag has an empty value.
  std::vector<std::pair<std::string, std::string>> isolation;
  std::vector<std::string> locked;
  std::string rules;  // what is enforced of a file of rules, as JSON; may be empty

  // [data]
  struct Data {
    std::string name, path, digest;
    std::uint64_t size = 0;
    bool required = false;
  };
  std::vector<Data> data;

  // Of an image that holds only what differs from another: that other one. Its
  // file is called `name`, its content has this digest (kDigestPath).
  struct Base {
    std::string name, digest;
  };
  Base base;  // no name: the image is whole

  // /AppRun is a tool's own program (an AppDir's): run it instead of the
  // entrypoint. False where `build` wrote an AppRun of ours.
  bool own_apprun = false;
};

// Where the compiled policy lies in an image, without the leading slash.
inline constexpr std::string_view kPolicyPath = ".rootlet/policy.bin";

// And the digest of the image's content: a line of text, written by `build`.
inline constexpr std::string_view kDigestPath = ".rootlet/digest";

// A compiled policy is refused beyond this many bytes.
inline constexpr std::size_t kPolicyMaximum = 1u << 20;

std::string encode_policy(const Policy& policy);

// Every length is checked against what is left; a record that this version
// does not know is an error unless its writer marked it as one to skip.
Result<Policy> decode_policy(std::string_view bytes);

}  // namespace rootlet
