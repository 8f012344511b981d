// SPDX-License-Identifier: MIT
#include "packaging/trim.hpp"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_set>

#include "packaging/path_list.hpp"
#include "packaging/policy_file.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kTrim = "trim";

// The patterns of a kind are those of fnmatch(3) without FNM_PATHNAME: "*" goes
// across slashes. A directory that loses all it held stays: a tool may list it.
struct Kind {
  std::string_view name;
  bool plain;  // part of --trim alone
  std::vector<std::string_view> patterns;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list{
      {"docs",
       true,
       {"usr/share/doc/*",
        "usr/share/man/*",
        "etc/alternatives/*.gz",  // links to manuals
        "usr/share/info/*",
        "usr/share/gtk-doc/*",
        "usr/share/help/*",
        "usr/share/doc-base/*",
        "usr/share/lintian/*",
        "usr/share/bug/*",
        "usr/share/linda/*",
        "usr/local/share/man/*",
        "usr/local/share/doc/*",
        "usr/local/man/*",
        "opt/*/share/man/*",
        "opt/*/share/doc/*",
        "opt/*/share/info/*",
        "share/man/*",
        "share/doc/*",
        "share/info/*",
        "usr/share/R/doc/*",
        "usr/lib/R/library/*/doc/*",
        "usr/lib/R/site-library/*/doc/*",
        "usr/lib/R/library/*/html/*",
        "usr/lib/R/site-library/*/html/*"}},
      // Not fontconfig's and not ld.so's: those save work at each start.
      {"caches",
       true,
       {"var/cache/apt/*", "var/cache/debconf/*", "var/cache/man/*", "var/cache/ldconfig/*",
        "var/cache/apk/*", "var/cache/dnf/*", "var/cache/yum/*", "var/lib/apt/lists/*",
        "var/lib/dpkg/*-old", "var/backups/*", "root/.cache/*", "root/.npm/*", "home/*/.cache/*",
        "tmp/*", "var/tmp/*", "opt/conda/pkgs/*", "opt/miniconda*/pkgs/*", "opt/mamba/pkgs/*"}},
      {"locales",
       true,
       {"usr/share/locale/*", "usr/local/share/locale/*", "opt/*/share/locale/*", "share/locale/*",
        "usr/share/i18n/*", "usr/lib/R/library/translations/*", "usr/lib/R/library/*/po/*"}},
      {"logs", true, {"var/log/*"}},
      {"devel",
       false,
       {"usr/include/*", "usr/local/include/*", "opt/*/include/*", "*.la", "usr/lib/*.a",
        "usr/lib/*/pkgconfig/*", "usr/share/pkgconfig/*", "usr/share/aclocal/*",
        "usr/lib/*/cmake/*"}},
      {"debug", false, {"usr/lib/debug/*", "*.debug"}},
  };
  return list;
}

const Kind* find_kind(const std::string& name) {
  for (const Kind& kind : kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

bool is_list(const std::string& word) {
  struct stat status {};
  return word.find('/') != std::string::npos || ::stat(word.c_str(), &status) == 0;
}

bool matches(std::string_view pattern, const std::string& path) {
  return ::fnmatch(std::string(pattern).c_str(), path.c_str(), 0) == 0;
}

// What a licence wants to go with the program, and what tells what is there.
bool is_kept_always(const std::string& path) {
  std::string name = name_of(path);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  for (const char* begin : {"copyright", "copying", "licen", "notice", "author", "patent"}) {
    if (name.starts_with(begin)) return true;
  }
  return path.starts_with("usr/share/common-licenses/") || path == "var/lib/dpkg/status" ||
         path.starts_with(".rootlet/");
}

// "usr/share/locale/pt_BR/LC_MESSAGES/x.mo" is of "pt_BR"; empty: of none.
std::string language_of(const std::string& path) {
  const std::size_t at = path.find("/locale/");
  if (at == std::string::npos) return {};
  const std::string rest = path.substr(at + 8);
  const std::size_t slash = rest.find('/');
  return slash == std::string::npos ? "" : rest.substr(0, slash);
}

// "de" keeps de, de_AT and de@hebrew; "de_AT" keeps itself alone.
bool is_language(const std::string& found, const std::string& kept) {
  if (found == kept) return true;
  return found.starts_with(kept) &&
         std::string_view("_@.").find(found[kept.size()]) != std::string_view::npos;
}

class Trimming {
 public:
  Trimming(Tree& tree, const TrimRequest& request) : tree_(tree), request_(request) {}

  Trimmed by_kind(const Kind& kind) {
    return take(std::string(kind.name), [&](const std::string& path) {
      if (!std::any_of(kind.patterns.begin(), kind.patterns.end(),
                       [&](std::string_view pattern) { return matches(pattern, path); })) {
        return false;
      }
      return kind.name != "locales" || !is_kept_language(path);
    });
  }

  Trimmed by_list(const std::string& file, const std::vector<std::string>& paths) {
    const std::unordered_set<std::string> listed(paths.begin(), paths.end());
    return take(file, [&](const std::string& path) { return listed.contains(path); });
  }

 private:
  bool is_kept_language(const std::string& path) const {
    const std::string language = language_of(path);
    if (language.empty()) return path.ends_with("/locale.alias");
    for (const char* kept : {"en", "C", "POSIX"}) {
      if (is_language(language, kept)) return true;
    }
    return std::any_of(request_.keep_locales.begin(), request_.keep_locales.end(),
                       [&](const std::string& kept) { return is_language(language, kept); });
  }

  Trimmed take(const std::string& name, const std::function<bool(const std::string&)>& wanted) {
    Trimmed trimmed{name, 0, 0};
    std::unordered_set<const Node*> counted;
    walk(tree_.root(), "", [&](const std::string& path, const Node& node) {
      if (node.is_directory() || is_kept_always(path) || !wanted(path)) return false;
      if (counted.insert(&node).second) {
        ++trimmed.files;
        trimmed.bytes += node.size;
      }
      return true;
    });
    return trimmed;
  }

  static void walk(Node& directory, const std::string& prefix,
                   const std::function<bool(const std::string&, const Node&)>& gone) {
    std::erase_if(directory.children, [&](const auto& entry) {
      const std::string path = prefix + entry.first;
      if (entry.second->is_directory()) walk(*entry.second, path + "/", gone);
      return gone(path, *entry.second);
    });
  }

  Tree& tree_;
  const TrimRequest& request_;
};

}  // namespace

Status check_trim(const TrimRequest& request) {
  for (const std::string& word : request.kinds) {
    if (word == "all" || word == "default" || find_kind(word) != nullptr) continue;
    if (is_list(word)) {
      TRY(read_path_list(word));
      continue;
    }
    std::vector<std::string> known{"all"};
    std::string names;
    for (const Kind& kind : kinds()) {
      known.emplace_back(kind.name);
      names += std::string(kind.name) + ", ";
    }
    const std::string near = suggest(word, known);
    return plain_error(kTrim, "--trim=" + word, "no such kind, and no file of that name",
                       near.empty() ? "it takes " + names + "all, or a file with a path a line"
                                    : "did you mean " + near + "?");
  }
  return Done{};
}

bool trims_by_list(const TrimRequest& request) {
  return std::any_of(request.kinds.begin(), request.kinds.end(), [](const std::string& word) {
    return word != "all" && word != "default" && find_kind(word) == nullptr;
  });
}

Result<std::vector<Trimmed>> trim(Tree& tree, const TrimRequest& request) {
  Trimming trimming(tree, request);
  std::vector<Trimmed> trimmed;
  const auto asked = [&](std::string_view word) {
    return std::find(request.kinds.begin(), request.kinds.end(), word) != request.kinds.end();
  };
  for (const Kind& kind : kinds()) {
    if (asked(kind.name) || asked("all") || (kind.plain && asked("default"))) {
      trimmed.push_back(trimming.by_kind(kind));
    }
  }
  for (const std::string& word : request.kinds) {
    if (word == "all" || word == "default" || find_kind(word) != nullptr) continue;
    trimmed.push_back(trimming.by_list(word, TRY(read_path_list(word))));
  }
  return trimmed;
}

std::string trimmed_text(const std::vector<Trimmed>& trimmed) {
  std::string text;
  for (const Trimmed& part : trimmed) {
    const std::uint64_t tenths = part.bytes * 10 >> 20;
    text += (text.empty() ? "" : ", ") + part.kind + " " + std::to_string(tenths / 10) + "." +
            std::to_string(tenths % 10) + " MiB in " + std::to_string(part.files) + " files";
  }
  return text;
}

}  // namespace rootlet::packaging
