// SPDX-License-Identifier: MIT
#include "packaging/survey.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "packaging/known_needs.hpp"

namespace rootlet::packaging {
namespace {

bool is_below_any(std::string_view path, std::initializer_list<std::string_view> tops) {
  for (const std::string_view top : tops) {
    if (path == top || (path.starts_with(top) && path[top.size()] == '/')) return true;
  }
  return false;
}

bool is_executable(const Node& node) { return node.is_file() && (node.mode & 0111) != 0; }

bool is_library(std::string_view name) {
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

// A file that may load others when it is executed or loaded itself.
struct Candidate {
  std::string path;
  NodePtr node;
  std::optional<ElfFile> elf;
  std::string interpreter;  // of a script
};

// Interpreter of a "#!" line, or what env(1) is to find; empty: no script.
std::string interpreter_of(const Candidate& candidate) {
  std::array<char, 256> first{};
  const std::size_t size = std::min<std::uint64_t>(first.size(), candidate.node->size);
  const auto content = candidate.node->content.open();
  if (!content.ok() || !content.value().read_at(0, first.data(), size).ok()) return {};
  std::string_view line(first.data(), size);
  if (!line.starts_with("#!")) return {};
  line = line.substr(2, line.find('\n') - 2);
  std::vector<std::string> words;
  for (std::size_t at = line.find_first_not_of(" \t"); at < line.size();) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t\r", end);
  }
  if (words.empty()) return {};
  if (name_of(words[0]) != "env") return words[0];
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with('-') && words[i].find('=') == std::string::npos) return words[i];
  }
  return words[0];
}

class Surveyor {
 public:
  Surveyor(const Tree& tree, std::uint16_t machine, const Policy& policy, const Check& check)
      : tree_(tree), machine_(machine), policy_(policy), check_(check) {}

  Findings run() {
    collect();
    read_all();
    for (const Candidate& candidate : candidates_) look_at(candidate);
    dangling_links();
    for (const Tree::Place& place : check_.files()) used_.insert(name_of(place.path));
    add_known_needs({tree_, machine_, policy_, used_, names_}, findings_);
    return std::move(findings_);
  }

 private:
  void collect() {
    tree_.each([this](const std::string& path, const NodePtr& node) {
      const std::string name = name_of(path);
      if (!node->is_directory()) names_.insert(name);
      // Examples are read, not run.
      if (!node->is_file() || is_below_any(path, {"usr/share/doc", ".rootlet"})) return;
      if (!is_executable(*node) && !is_library(name)) return;
      if (seen_.insert(node.get()).second) candidates_.push_back({path, node, {}, {}});
    });
  }

  // The first bytes of each, by several threads: on a cold cache most of the
  // time is waiting.
  void read_all() {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next++; i < candidates_.size(); i = next++) {
        Candidate& candidate = candidates_[i];
        auto elf = read_elf(*candidate.node, "/" + candidate.path);
        if (elf.ok()) candidate.elf = std::move(elf).value();
        if (elf.ok() && !candidate.elf) candidate.interpreter = interpreter_of(candidate);
      }
    };
    std::vector<std::thread> threads;
    const unsigned count = std::min(8u, std::max(1u, std::thread::hardware_concurrency()));
    for (unsigned i = 1; i < count; ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
  }

  void look_at(const Candidate& candidate) {
    if (!candidate.interpreter.empty()) return look_at_script(candidate);
    if (!candidate.elf || candidate.elf->machine != machine_) return;
    const ElfFile& elf = *candidate.elf;
    if (!elf.interpreter.empty() && !tree_.resolve(elf.interpreter).ok()) {
      add("interpreter", candidate, "needs the loader " + elf.interpreter, elf.interpreter);
    }
    for (const std::string& needed : elf.needed) {
      if (!has(needed)) add("library", candidate, "needs " + needed, needed);
    }
    for (const ElfFile::Dlopen& note : elf.dlopen) look_at_note(candidate, note);
  }

  void look_at_script(const Candidate& candidate) {
    const std::string& wanted = candidate.interpreter;
    const bool there =
        wanted.starts_with('/') ? tree_.resolve(wanted).ok() : !check_.find_program(wanted).empty();
    if (there || !missed_.insert(wanted).second) return;
    add("interpreter", candidate, "needs the interpreter " + wanted, wanted);
  }

  // systemd's "Package dependencies on shared libraries": uapi-group.org/specifications.
  void look_at_note(const Candidate& candidate, const ElfFile::Dlopen& note) {
    if (note.priority == "suggested") return;
    for (const std::string& name : note.names) {
      if (has(name)) return;
    }
    if (note.names.empty() || !missed_.insert(note.names.front()).second) return;
    findings_.push_back({"dlopen", "/" + candidate.path,
                         "loads " + note.names.front() + " while it runs (" + note.priority +
                             (note.feature.empty() ? "" : ", for " + note.feature) +
                             "), which the image lacks",
                         "add the package that holds " + note.names.front()});
  }

  bool has(const std::string& library) const { return names_.contains(name_of(library)); }

  void add(const std::string& kind, const Candidate& candidate, const std::string& what,
           const std::string& file) {
    findings_.push_back({kind, "/" + candidate.path, what + ", which the image lacks",
                         "add the package that holds " + file});
  }

  void dangling_links() {
    tree_.each([this](const std::string& path, const NodePtr& node) {
      // What a run puts there, and what is there only while a system runs.
      if (!node->is_symlink() || is_below_any(path, {"proc", "dev", "sys", "run"})) return;
      if (is_below_any(node->target, {"/proc", "/dev", "/sys", "/run", "/var/run"})) return;
      if (path == "etc/localtime" || path == "etc/mtab" || path == "etc/resolv.conf") return;
      const auto found = tree_.resolve(path);
      if (found.ok()) return;
      findings_.push_back({"link", "/" + path,
                           found.error().code == ELOOP
                               ? "is a symlink that leads in a circle"
                               : "is a symlink to " + node->target + ", which the image lacks",
                           ""});
    });
  }

  const Tree& tree_;
  std::uint16_t machine_;
  const Policy& policy_;
  const Check& check_;
  std::vector<Candidate> candidates_;
  std::unordered_set<const Node*> seen_;
  std::unordered_set<std::string> names_;   // of everything that is no directory
  std::unordered_set<std::string> used_;    // of what the named programs load
  std::unordered_set<std::string> missed_;  // said once, whoever wants it
  Findings findings_;
};

}  // namespace

Findings survey(const Tree& tree, std::uint16_t machine, const Policy& policy, const Check& check) {
  return Surveyor(tree, machine, policy, check).run();
}

}  // namespace rootlet::packaging
