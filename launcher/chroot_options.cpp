// SPDX-License-Identifier: MIT
#include "launcher/chroot_options.hpp"

#include <algorithm>
#include <array>

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the command line";

struct Spelling {
  char letter;
  std::string_view name;
  std::string_view value;  // what it looks like; empty: a flag
};
constexpr std::array kOptions = std::to_array<Spelling>({
    {'v', "volume", "SRC:DEST[:ro|rw]"},
    {'o', "old-root", "/DIR"},
    {'r', "read-only", ""},
    {'k', "keep-old-root", ""},
    {'M', "uid-map", "'INSIDE OUTSIDE COUNT[,...]'"},
    {'G', "gid-map", "'INSIDE OUTSIDE COUNT[,...]'"},
    {'n', "net", ""},
    {'i', "ipc", ""},
    {'h', "help", ""},
});

Error wrong(const std::string& spelled, std::string_view reason, const Spelling* option) {
  Error error = plain_error(kRead, spelled, reason);
  error.hint = option == nullptr ? "rootlet chroot --help lists the options"
                                 : "valid: " + spelled + (spelled.starts_with("--") ? "=" : " ") +
                                       std::string(option->value);
  return error;
}

class Reader {
 public:
  Reader(const std::vector<std::string>& words, Options base) : words_(words) {
    line_.options = std::move(base);
  }

  Result<ChrootLine> read() {
    Options& options = line_.options;
    for (; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (word == "--") {
        ++at_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') break;
      TRY(word.starts_with("--rootlet-") ? ours(word)
          : word.starts_with("--")       ? long_option(word)
                                         : letters(word));
    }
    if (at_ < words_.size()) line_.root = words_[at_++];
    if (line_.root.empty()) return wrong("NEWROOT", "it is empty", nullptr);
    for (; at_ < words_.size(); ++at_) line_.command.push_back(words_[at_]);
    options.only_named = true;
    options.root_writable = !read_only_;
    // As with nsroot, what is not asked for is shared.
    TRY(share("net"));
    TRY(share("ipc"));
    TRY(old_root());
    return std::move(line_);
  }

 private:
  Status share(std::string_view name) {
    if (line_.options.was_given(name)) return Done{};
    return set_option(line_.options, name, "host", Origin::command_line);
  }

  // "--rootlet-NAME[=VALUE]": any option of a run.
  Status ours(const std::string& word) {
    const std::string text = word.substr(10);
    const std::size_t equals = text.find('=');
    std::optional<std::string> value;
    if (equals != std::string::npos) value = text.substr(equals + 1);
    return set_option(line_.options, text.substr(0, equals), value, Origin::command_line);
  }

  // "-rnv A:B", "-vA:B"
  Status letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string spelled = {'-', word[i]};
      const Spelling* option = nullptr;
      for (const Spelling& known : kOptions) option = known.letter == word[i] ? &known : option;
      if (option == nullptr) return wrong(spelled, "no such option", nullptr);
      if (option->value.empty()) {
        TRY(set(*option, spelled, ""));
        continue;
      }
      if (i + 1 < word.size()) return set(*option, spelled, word.substr(i + 1));
      return set(*option, spelled, TRY(next(*option, spelled)));
    }
    return Done{};
  }

  // "--volume=A:B", "--volume A:B", "--vol A:B": a beginning that only one has.
  Status long_option(const std::string& word) {
    const std::string spelled = word.substr(0, word.find('='));
    const std::string name = spelled.substr(2);
    std::vector<const Spelling*> meant;
    std::vector<std::string_view> names;
    for (const Spelling& known : kOptions) {
      names.push_back(known.name);
      if (known.name == name) meant = {&known};
      if (known.name == name) break;
      if (known.name.starts_with(name)) meant.push_back(&known);
    }
    if (meant.size() != 1) {
      Error error =
          wrong(spelled, meant.empty() ? "no such option" : "it may mean several options", nullptr);
      const std::string close = nearest(name, names);
      if (meant.empty() && !close.empty()) error.hint = "did you mean --" + close + "?";
      return error;
    }
    const bool given = spelled.size() < word.size();
    const Spelling& option = *meant[0];
    if (option.value.empty()) {
      if (given) return wrong(spelled, "it takes no value", nullptr);
      return set(option, spelled, "");
    }
    return set(option, spelled,
               given ? word.substr(spelled.size() + 1) : TRY(next(option, spelled)));
  }

  Result<std::string> next(const Spelling& option, const std::string& spelled) {
    if (at_ + 1 >= words_.size()) return wrong(spelled, "it needs a value", &option);
    return words_[++at_];
  }

  Status set(const Spelling& option, const std::string& spelled, const std::string& value) {
    switch (option.letter) {
      case 'v': return volume(option, spelled, value);
      case 'o':
        if (value.empty() || value[0] != '/') {
          return wrong(spelled, "'" + value + "' is no absolute path", &option);
        }
        old_root_ = value;
        return Done{};
      case 'r': read_only_ = true; return Done{};
      case 'k': keep_ = true; return Done{};
      case 'h': line_.help = true; return Done{};
      case 'n': return set_option(line_.options, "net", "none", Origin::command_line);
      case 'i': return set_option(line_.options, "ipc", "private", Origin::command_line);
      default: break;
    }
    auto done = set_option(line_.options, option.name, value, Origin::command_line);
    if (done.ok()) return done;
    return wrong(spelled, done.error().reason, &option);  // by the name that was typed
  }

  Status volume(const Spelling& option, const std::string& spelled, const std::string& value) {
    const std::vector<std::string> parts = split_escaped(value, ':');
    const bool access = parts.size() < 3 || parts[2] == "ro" || parts[2] == "rw";
    if (parts.size() < 2 || parts.size() > 3 || parts[0].empty() || parts[1].empty() || !access) {
      return wrong(spelled, "'" + value + "' is not valid", &option);
    }
    const std::string target = parts[1][0] == '/' ? parts[1] : "/" + parts[1];
    line_.options.add_bind({parts[0], target, parts.size() < 3 || parts[2] == "rw"});
    return Done{};
  }

  // put-old: nothing is put there, unless the host is to stay in reach.
  Status old_root() {
    if (!keep_) {
      if (old_root_) {
        line_.notes.push_back(
            "--old-root is not needed and ignored: the host's root is put nowhere");
      }
      return Done{};
    }
    const std::string target = old_root_.value_or("/mnt");
    if (without_slash(target) == "/") return wrong("--old-root", "it is the root itself", nullptr);
    line_.notes.push_back("--keep-old-root: ALL FILES OF THE HOST can be reached at " + target +
                          ", with your rights; this is no isolation");
    auto& binds = line_.options.binds;
    line_.options.add_bind({"/", target, true});
    std::rotate(binds.begin(), binds.end() - 1, binds.end());  // volumes lie over it
    return Done{};
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  ChrootLine line_;
  std::optional<std::string> old_root_;
  bool read_only_ = false, keep_ = false;
};

}  // namespace

Result<ChrootLine> parse_chroot(const std::vector<std::string>& words, Options base) {
  return Reader(words, std::move(base)).read();
}

}  // namespace rootlet
