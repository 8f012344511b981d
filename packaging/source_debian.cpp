// SPDX-License-Identifier: MIT
#include "packaging/source_debian.hpp"

#include <elf.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>

#include "packaging/apt.hpp"
#include "packaging/debian_packages.hpp"
#include "packaging/debian_root.hpp"
#include "packaging/elf_file.hpp"
#include "packaging/scratch.hpp"

namespace rootlet::packaging {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kInstall = "install packages";

#if defined(__aarch64__)
constexpr std::uint16_t kHostMachine = EM_AARCH64;
#else
constexpr std::uint16_t kHostMachine = EM_X86_64;
#endif

// What was named, as apt takes it and by its bare name.
struct Named {
  std::vector<std::string> words, names;
  std::vector<std::string> files;  // packages that are files of the host
};

Status take_file(const std::string& word, Named& named) {
  const auto told = TRY(
      run_command({{"dpkg-deb", "--show", "--showformat=${Package}\n", fs::absolute(word).string()},
                   {"PATH=/usr/bin:/bin", "LC_ALL=C"},
                   {}}));
  if (!told.ok()) return plain_error(kInstall, word, telling_line(told.output, {}));
  named.names.push_back(told.output.substr(0, told.output.find('\n')));
  named.words.push_back(fs::absolute(word).string());
  named.files.push_back(named.words.back());
  return Done{};
}

Status take_word(const std::string& word, Named& named) {
  static const std::regex form(
      R"([a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+|/[a-z][a-z0-9-]*)?)");
  if (word.starts_with('/') || word.starts_with("./") || word.starts_with("../")) {
    return take_file(word, named);
  }
  if (!std::regex_match(word, form)) {
    return plain_error(kInstall, word, "not a Debian package's name",
                       "for example deb:hmmer or deb:hmmer=3.3.2+dfsg-1,easel");
  }
  named.words.push_back(word);
  named.names.push_back(word.substr(0, word.find_first_of(":=/")));
  return Done{};
}

Result<Named> take_list(const std::string& list) {
  Named named;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) TRY(take_word(word, named));
  if (named.words.empty()) {
    return plain_error(kInstall, "deb:", "no package is named", "for example deb:hmmer");
  }
  return named;
}

// apt fetches no file that is there already; dpkg wants it beside the others.
Status copy_files(const Named& named, const std::vector<AptStep>& steps, const Apt& apt) {
  for (std::size_t i = 0; i < named.files.size(); ++i) {
    for (const AptStep& step : steps) {
      const bool same = step.unpack && std::find(named.names.begin(), named.names.end(),
                                                 step.package) != named.names.end();
      const std::string target = apt.archives() + "/" + step.file;
      std::error_code error;
      if (!same || fs::exists(target)) continue;
      fs::copy_file(named.files[i], target, error);
      if (error) return Error{error.value(), std::string(kInstall), named.files[i], "", ""};
    }
  }
  return Done{};
}

// Of what existed before this build began.
std::int64_t newest_packaged(const Tree& tree, std::int64_t began) {
  std::int64_t newest = 0;
  tree.each([&](const std::string&, const NodePtr& node) {
    if (node->is_file() && node->mtime < began) newest = std::max(newest, node->mtime);
  });
  return newest;
}

// A root that somebody else has made, with the commands of the packages named.
Result<Source> read_installed(const std::string& packages, const Named& named,
                              const std::string& root) {
  Source source;
  source.kind = Source::Kind::kDebian;
  source.path = packages;
  source.tree = TRY(read_directory(root, source.notes));
  for (const std::string& package : named.names) {
    if (is_installed(source.tree, package)) continue;
    return plain_error(kInstall, package, "not installed in " + root,
                       "its var/lib/dpkg/status lists what is");
  }
  source.policy = describe_packages(source.tree, named.names);
  source.origin = {{"packages", packages}};
  return source;
}

}  // namespace

Result<Source> read_debian(const std::string& packages, const SourceRequest& request) {
  if (request.machine != 0 && request.machine != kHostMachine) {
    return plain_error(kInstall, packages,
                       "the stub is for " + machine_name(request.machine) +
                           ", and packages are installed by running their own programs");
  }
  const Named named = TRY(take_list(packages));
  if (!request.root.empty()) return read_installed(packages, named, request.root);
  Named with;
  for (const std::string& word : request.with) TRY(take_word(word, with));
  const std::int64_t began = ::time(nullptr);
  auto scratch = TRY(ScratchDirectory::make());
  const Engine engine = TRY(Engine::make(*scratch));
  fs::create_directory(scratch->path() + "/apt");
  const Apt apt = TRY(Apt::make(scratch->path() + "/apt", request));
  TRY(apt.update(request.report));

  std::vector<std::string> wanted = TRY(apt.essential());
  const std::vector<AptStep> first = TRY(apt.plan(wanted));
  wanted.insert(wanted.end(), with.words.begin(), with.words.end());
  wanted.insert(wanted.end(), named.words.begin(), named.words.end());
  const std::vector<AptStep> all = TRY(apt.plan(wanted));
  TRY(apt.download(wanted, request.report));
  TRY(copy_files(named, all, apt));

  const DebianRoot root = TRY(DebianRoot::make(scratch->path() + "/root", apt.archives(), engine));
  TRY(root.install(first, all, request.report));
  Source source;
  source.kind = Source::Kind::kDebian;
  source.path = packages;
  source.scratch = scratch;
  const Tree installed = TRY(read_directory(root.path(), source.notes));
  source.time = newest_packaged(installed, began);
  TRY(root.settle(*source.time));
  source.tree = TRY(read_directory(root.path(), source.notes));
  remove_traces(source.tree, *source.time);
  source.policy = describe_packages(source.tree, named.names);
  source.origin = {{"packages", packages}, {"suite", apt.suite()}};
  return source;
}

}  // namespace rootlet::packaging
