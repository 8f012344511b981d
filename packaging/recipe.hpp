// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packaging/source.hpp"
#include "runtime/base/result.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What a recipe says that no option of `build` says (docs/recipes.md).
struct Recipe {
  std::string name, text;  // the file's name and bytes; empty: there is no recipe
  Policy policy;           // its [tool], [isolation] and [data]
  std::vector<std::pair<std::string, std::string>> links;  // path inside -> target

  // A file of the image: a path of the host, or the bytes.
  struct File {
    std::string path, from, text;
    bool executable = false;
  };
  std::vector<File> files;
};

struct BuildRequest;

// "recipe:FILE", "recipe:NAME" of a recipe that came with rootlet, or a path
// that ends with .toml.
bool names_recipe(std::string_view source);

// Reads the recipe that SOURCE names: its [recipe] becomes the request's
// options, the rest `request.recipe`. Paths in it are relative to its file.
// Errors name file, line and key.
Status read_recipe(const std::string& source, BuildRequest& request);

// Puts the recipe's links and files into the tree, in place of what had those
// names; a directory is replaced by none of them. All get this time.
Status add_parts_of(const Recipe& recipe, Tree& tree, std::int64_t time);

}  // namespace rootlet::packaging
