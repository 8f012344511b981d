// SPDX-License-Identifier: MIT
#include "packaging/recipe.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "packaging/assemble.hpp"
#include "packaging/policy_table.hpp"
#include "packaging/stub.hpp"
#include "packaging/toml_reader.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the recipe";
constexpr std::string_view kPrefix = "recipe:";
constexpr std::size_t kMaximumFile = 1 << 20;

// A path of the recipe's, as the process has to name it.
std::string beside(const std::string& file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path).string();
}

// A SOURCE: its path, if it has one, is relative to the recipe.
std::string source_beside(const std::string& file, const std::string& spec) {
  const std::size_t colon = spec.find(':');
  const std::string kind = spec.substr(0, colon == std::string::npos ? 0 : colon + 1);
  if (kind == "deb:") {
    std::istringstream words(spec.substr(4));
    std::string out;
    for (std::string word; std::getline(words, word, ',');) {
      const bool path = word.starts_with("./") || word.starts_with("../");
      out += (out.empty() ? "deb:" : ",") + (path ? beside(file, word) : word);
    }
    return out.empty() ? spec : out;
  }
  const bool known = kind.find('/') == std::string::npos;
  return known ? kind + beside(file, spec.substr(kind.size())) : beside(file, spec);
}

class Reader : private TomlReader {
 public:
  Reader(std::string file, BuildRequest& request)
      : TomlReader(std::move(file), kRead), request_(request) {}

  Status read(toml::table document) {
    const toml::node* recipe = document.get("recipe");
    if (recipe == nullptr || !recipe->is_table()) {
      return plain_error(kRead, name(), "it has no table [recipe]",
                         "[recipe] and source = \"deb:PACKAGE\", see docs/recipes.md; a policy "
                         "goes with --policy FILE");
    }
    TRY(read_table(*recipe->as_table()));
    if (request_.source.spec.empty()) return at(*recipe, "\"source\" is missing in [recipe]");
    document.erase("recipe");
    request_.recipe.policy = TRY(policy_from(document, name()));
    return Done{};
  }

 private:
  Status read_table(const toml::table& table) {
    SourceRequest& source = request_.source;
    return each(
        table, "[recipe]",
        {
            {"source", into_source(source.spec, "source")},
            {"with-root", into_source(source.with_root, "with-root")},
            {"with", into_list(source.with, "with")},
            {"suite", into_text(source.suite, "suite")},
            {"mirror", into_list(source.mirrors, "mirror")},
            {"platform", into_text(source.platform, "platform")},
            {"trim", [this](const toml::node& node) { return read_trim(node); }},
            {"keep-locale", into_list(request_.trim.keep_locales, "keep-locale")},
            {"order", into_file(request_.order, "order")},
            {"base", into_file(request_.base, "base")},
            {"comp-level", into_number(request_.level, "comp-level", 1, 22)},
            {"block-size", into_number(request_.block_size, "block-size", 4096, 1 << 20)},
            {"selftest-timeout",
             into_number(request_.self_test_seconds, "selftest-timeout", 1, 86400)},
            {"update-information", into_text(request_.update_information, "update-information")},
            {"links", [this](const toml::node& node) { return read_links(node); }},
            {"files", [this](const toml::node& node) { return read_files(node); }},
        });
  }

  Handler into_source(std::string& target, std::string key) const {
    return [this, &target, key](const toml::node& node) -> Status {
      target = source_beside(name(), TRY(text(node, key)));
      return Done{};
    };
  }

  Handler into_file(std::string& target, std::string key) const {
    return [this, &target, key](const toml::node& node) -> Status {
      target = beside(name(), TRY(text(node, key)));
      return Done{};
    };
  }

  template <typename Number>
  Handler into_number(Number& target, std::string key, std::int64_t least,
                      std::int64_t most) const {
    return [=, this, &target](const toml::node& node) -> Status {
      const auto value = node.value_exact<std::int64_t>();
      if (!value || *value < least || *value > most) {
        return at(node, "\"" + key + "\" must be a number from " + std::to_string(least) + " to " +
                            std::to_string(most));
      }
      target = static_cast<Number>(*value);
      return Done{};
    };
  }

  // The kinds, or a list of paths beside the recipe.
  Status read_trim(const toml::node& node) {
    request_.trim.kinds = TRY(list(node, "trim"));
    for (std::string& word : request_.trim.kinds) {
      if (word.find('/') != std::string::npos) word = beside(name(), word);
    }
    const Status status = check_trim(request_.trim);
    if (status.ok()) return Done{};
    return at(node, "\"trim\": " + status.error().reason, status.error().hint);
  }

  // Calls take(path inside, node) for each entry of a table of paths.
  template <typename Take>
  Status each_path(const toml::node& node, const std::string& key, Take take) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return at(node, "\"" + key + "\" must be a table: [recipe." + key + "]");
    for (const auto& [path, value] : ordered(*table)) {
      if (!path.starts_with('/') || split_path(path).empty() || path.find('\0') != path.npos) {
        return at(*value, "\"" + path + "\" is no absolute path inside the image");
      }
      TRY(take(path, *value));
    }
    return Done{};
  }

  Status read_links(const toml::node& node) {
    return each_path(node, "links", [this](const auto& path, const auto& value) -> Status {
      std::string target = TRY(text(value, path));
      if (target.empty()) return at(value, "a link leads somewhere");
      request_.recipe.links.emplace_back(path, std::move(target));
      return Done{};
    });
  }

  Status read_files(const toml::node& node) {
    return each_path(node, "files", [this](const auto& path, const auto& value) -> Status {
      Recipe::File file{path, "", "", false};
      if (value.is_string()) {
        file.from = beside(name(), TRY(text(value, path)));
      } else if (const toml::table* table = value.as_table()) {
        const auto flag = [&](const toml::node& one) -> Status {
          const auto executable = one.template value_exact<bool>();
          if (!executable) return at(one, "\"executable\" must be true or false");
          file.executable = *executable;
          return Done{};
        };
        TRY(each(*table, "[recipe.files] " + path,
                 {{"text", into_text(file.text, "text")}, {"executable", flag}}));
      } else {
        return at(value, "a file beside the recipe, or {text = \"...\", executable = true}");
      }
      request_.recipe.files.push_back(std::move(file));
      return Done{};
    });
  }

  BuildRequest& request_;
};

// "recipe:ray" is packaging/recipes/ray.toml where rootlet was built, and
// share/rootlet/recipes/ray.toml where it is installed.
std::string path_of(const std::string& source) {
  std::string path = source.starts_with(kPrefix) ? source.substr(kPrefix.size()) : source;
  if (path.find('/') != std::string::npos || path.ends_with(".toml")) return path;
  for (const char* directory :
       {"../packaging/recipes/", "../share/rootlet/recipes/", "../../share/rootlet/recipes/"}) {
    const std::string known = find_own_file(directory + path + ".toml");
    if (!known.empty()) return known;
  }
  return path;
}

Result<NodePtr> node_of(const Recipe::File& file, std::int64_t time) {
  if (file.from.empty()) return make_file(file.text, file.executable ? 0755 : 0644, time);
  struct stat status {};
  if (::stat(file.from.c_str(), &status) != 0)
    return last_error("read the recipe's file", file.from);
  if (S_ISDIR(status.st_mode)) {
    std::vector<std::string> notes;
    Tree tree = TRY(read_directory(file.from, notes));
    tree.each([&](const std::string&, const NodePtr& node) { node->mtime = time; });
    auto directory = make_directory(0755, time);
    directory->children = tree.root().children;
    return directory;
  }
  std::ifstream in(file.from, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || in.bad()) return last_error("read the recipe's file", file.from);
  return make_file(text.str(), (status.st_mode & 0111) != 0 ? 0755 : 0644, time);
}

Status put_at(Tree& tree, const std::string& path, NodePtr node, std::int64_t time) {
  const auto parent = tree.make_directories(parent_of(path), time);
  if (!parent.ok() || !parent.value().node->is_directory()) {
    return plain_error("add to the image", path, "its directory cannot be one");
  }
  NodePtr& place = parent.value().node->children[name_of(path)];
  if (place && place->is_directory()) {
    return plain_error("add to the image", path, "the image has a directory there",
                       "name the files in it one by one");
  }
  place = std::move(node);
  return Done{};
}

}  // namespace

bool names_recipe(std::string_view source) {
  return source.starts_with(kPrefix) || source.ends_with(".toml");
}

Status read_recipe(const std::string& source, BuildRequest& request) {
  const std::string path = path_of(source);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || file.bad()) {
    return last_error(kRead, path, "a FILE.toml, or the name of one in packaging/recipes");
  }
  if (text.str().size() > kMaximumFile) return plain_error(kRead, path, "it is larger than 1 MiB");
  request.recipe.name = name_of(path);
  request.recipe.text = text.str();
  try {
    return Reader(path, request).read(toml::parse(request.recipe.text, path));
  } catch (const toml::parse_error& error) {
    return plain_error(kRead, path + ":" + std::to_string(error.source().begin.line),
                       error.description());
  }
}

Status add_parts_of(const Recipe& recipe, Tree& tree, std::int64_t time) {
  for (const Recipe::File& file : recipe.files) {
    NodePtr node = TRY(node_of(file, time));
    TRY(put_at(tree, file.path, std::move(node), time));
  }
  for (const auto& [path, target] : recipe.links) {
    TRY(put_at(tree, path, make_symlink(target, time), time));
  }
  return Done{};
}

}  // namespace rootlet::packaging
