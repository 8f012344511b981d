// SPDX-License-Identifier: MIT
#include "packaging/check.hpp"

#include <algorithm>
#include <sstream>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kCheck = "check the image";
// The kernel follows four script interpreters, then fails with ELOOP
// (fs/exec.c, bprm depth).
constexpr int kMaximumInterpreters = 4;
// The first line that the kernel reads: BINPRM_BUF_SIZE.
constexpr std::size_t kFirstLine = 256;
constexpr std::size_t kNamedAtMost = 5;

Error refused(const std::string& program, std::string_view reason, std::string_view hint) {
  return plain_error(kCheck, program, reason, hint);
}

std::string from_environment(const std::vector<std::string>& env, const std::string& name) {
  for (const std::string& entry : env) {
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
  }
  return {};
}

std::vector<std::string> split_colons(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) {
    if (part.starts_with('/')) parts.push_back(part);
  }
  return parts;
}

std::string add_file_hint(const std::string& file) {
  return "add the package or file that holds " + file + " (on Debian: apt-file search " + file +
         ")";
}

Result<std::string> first_line(const Node& node) {
  std::string text(std::min<std::uint64_t>(kFirstLine, node.size), '\0');
  const OpenContent content = TRY(node.content.open());
  TRY(content.read_at(0, text.data(), text.size()));
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

Check::Check(const Tree& tree, std::uint16_t machine, const std::vector<std::string>& env)
    : tree_(tree),
      machine_(machine),
      path_(split_colons(from_environment(env, "PATH"))),
      search_(tree, machine, from_environment(env, "LD_LIBRARY_PATH")) {
  if (path_.empty()) path_ = split_colons(std::string(kDefaultPath));
}

bool Check::use(const Tree::Place& place) {
  if (!used_.insert(place.node.get()).second) return false;
  files_.push_back(place);
  return true;
}

std::string Check::find_program(const std::string& name) const {
  if (name.starts_with('/')) return name;
  if (name.find('/') != std::string::npos) return "/" + name;
  for (const std::string& directory : path_) {
    auto place = tree_.resolve(directory + "/" + name);
    if (place.ok() && place.value().node->is_file()) return directory + "/" + name;
  }
  return {};
}

Status Check::program(const std::string& path) { return start(path, path, 0); }

Status Check::start(const std::string& path, const std::string& asked, int depth) {
  auto found = tree_.resolve(path);
  if (!found.ok()) {
    const bool itself = path == asked;
    const std::string reason = found.error().code == ELOOP ? "its symlinks lead in a circle"
                               : itself                    ? "the image has no such program"
                                        : "needs " + path + ", which the image lacks";
    return refused(
        asked, reason,
        itself ? "name a program of the image with --entry or in the policy" : add_file_hint(path));
  }
  const Tree::Place place = found.value();
  if (!place.node->is_file()) return refused(place.path, "not a regular file", "");
  if ((place.node->mode & 0111) == 0) {
    return refused(place.path, "not executable", "chmod +x it in the source");
  }
  const auto file = TRY(read_elf(*place.node, place.path));
  if (file) return elf(place, *file);
  // Not TRY: gcc 12 -O3 then warns that the string may be uninitialized.
  const Result<std::string> first = first_line(*place.node);
  if (!first.ok()) return first.error();
  const std::string& line = first.value();
  if (line.starts_with("#!")) return script(place, line.substr(2), asked, depth);
  return refused(place.path, "neither an ELF program nor a script that begins with #!",
                 "put #! and its interpreter into the first line");
}

Status Check::script(const Tree::Place& place, const std::string& line, const std::string& asked,
                     int depth) {
  use(place);
  const std::vector<std::string> words = words_of(line);
  if (words.empty()) return refused(place.path, "its #! line names no interpreter", "");
  // To the kernel it is a part of the name, or of the argument (fs/binfmt_script.c).
  if (line.ends_with('\r')) {
    return refused(place.path, "its #! line ends in a carriage return, as lines do on Windows",
                   "sed -i 's/\\r$//' FILE takes them away");
  }
  if (depth >= kMaximumInterpreters) {
    return refused(asked, "its interpreters are scripts of scripts, deeper than Linux follows", "");
  }
  if (!words[0].starts_with('/')) {
    return refused(place.path, "its interpreter " + words[0] + " is no absolute path", "");
  }
  TRY(start(words[0], place.path, depth + 1));
  if (name_of(words[0]) != "env") return Done{};
  // env(1) looks the interpreter up in PATH; its options and settings precede.
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].starts_with('-') || words[i].find('=') != std::string::npos) continue;
    const std::string program = find_program(words[i]);
    if (program.empty()) {
      return refused(place.path,
                     "needs " + words[i] + " (by env), which is in no directory of PATH",
                     add_file_hint("bin/" + words[i]));
    }
    return start(program, place.path, depth + 1);
  }
  return Done{};
}

Status Check::elf(const Tree::Place& place, const ElfFile& file) {
  if (file.machine != machine_) {
    return refused(place.path,
                   "is " + machine_name(file.machine) + ", the stub is " + machine_name(machine_),
                   "pack files of the stub's architecture, or name another with --stub");
  }
  if (!use(place)) return Done{};
  if (!file.interpreter.empty()) {
    auto loader = tree_.resolve(file.interpreter);
    if (!loader.ok() || !loader.value().node->is_file()) {
      return refused(place.path, "needs the loader " + file.interpreter + ", which the image lacks",
                     add_file_hint(file.interpreter));
    }
    use(loader.value());
  }
  return libraries(place, file);
}

// Breadth first, as the loader does it: a library that is already loaded
// serves all who ask for its name.
Status Check::libraries(const Tree::Place& program, const ElfFile& file) {
  struct Object {
    std::string path;
    ElfFile elf;
    std::vector<std::string> rpath;  // its own and that of those who loaded it
  };
  std::vector<Object> queue{{program.path, file, file.rpath}};
  std::set<std::string> loaded;
  std::vector<std::string> missing;
  std::string who;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const Object object = queue[i];
    for (const std::string& name : object.elf.needed) {
      if (!loaded.insert(name).second) continue;
      auto found = search_.find(name, parent_of(object.path), object.rpath, object.elf.runpath);
      if (!found.ok()) {
        if (who.empty()) who = object.path;
        missing.push_back(name);
        continue;
      }
      const Tree::Place library = found.value();
      use(library);
      const auto elf = TRY(read_elf(*library.node, library.path));
      Object next{library.path, *elf, elf->rpath};
      next.rpath.insert(next.rpath.end(), object.rpath.begin(), object.rpath.end());
      queue.push_back(std::move(next));
    }
  }
  if (missing.empty()) return Done{};
  std::string names;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamedAtMost); ++i) {
    names += (i == 0 ? "" : ", ") + missing[i];
  }
  if (missing.size() > kNamedAtMost) {
    names += " and " + std::to_string(missing.size() - kNamedAtMost) + " more";
  }
  return refused(who, "needs " + names + ", which the image lacks", add_file_hint(missing[0]));
}

std::vector<std::string> candidate_programs(const Tree& tree, std::size_t limit) {
  std::vector<std::string> found;
  std::set<const Node*> directories;  // /bin is often /usr/bin
  // What a tool's own package brings, before what every system has.
  for (const char* directory : {"/usr/local/bin", "/opt/bin", "/bin", "/usr/bin", "/usr/local/sbin",
                                "/sbin", "/usr/sbin"}) {
    auto place = tree.resolve(directory);
    if (!place.ok() || !directories.insert(place.value().node.get()).second) continue;
    for (const auto& [name, node] : place.value().node->children) {
      if (!node->is_file() || (node->mode & 0111) == 0) continue;
      if (found.size() == limit) return found;
      found.push_back((place.value().path == "/" ? "" : place.value().path) + "/" + name);
    }
  }
  return found;
}

}  // namespace rootlet::packaging
