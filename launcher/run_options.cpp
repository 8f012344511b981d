// SPDX-License-Identifier: MIT
#include "launcher/run_options.hpp"

#include <algorithm>

#include "launcher/aliases.hpp"
#include "launcher/image_trust.hpp"

namespace rootlet {
namespace {

bool is_one_of(std::string_view words, std::string_view word) {
  while (!word.empty() && !words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// The words up to the IMAGE.
class Reader {
 public:
  Reader(const std::vector<std::string>& words, Options& options, std::span<OwnOption> own)
      : words_(words), options_(options), own_(own) {}

  // Returns the index of the first word that is no option.
  Result<std::size_t> read() {
    for (; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (word == "--") return at_ + 1;
      if (word.size() < 2 || word[0] != '-') break;
      if (word[1] == '-') {
        TRY(read_long(word));
      } else {
        TRY(read_short(word));
      }
    }
    return at_;
  }

 private:
  // --NAME, --NAME=VALUE, --NAME VALUE.
  Status read_long(const std::string& word) {
    const std::size_t equals = word.find('=');
    std::optional<std::string> value;
    if (equals != std::string::npos) value = word.substr(equals + 1);
    return set(word.substr(0, equals), std::move(value), true);
  }

  // -X, -XY (two flags), -XVALUE, -X=VALUE, -X VALUE.
  Status read_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string spelled = std::string("-") + word[i];
      std::string rest = word.substr(i + 1);
      if (rest.empty() || !takes_value(spelled)) {
        TRY(set(spelled, std::nullopt, rest.empty()));
        continue;
      }
      if (rest[0] == '=') rest.erase(0, 1);
      return set(spelled, rest, false);
    }
    return Done{};
  }

  OwnOption* find_own(const std::string& spelled) const {
    for (OwnOption& option : own_) {
      if (spelled == option.spelled || spelled == option.brief) return &option;
    }
    return nullptr;
  }

  Status set_own(OwnOption& option, const std::string& spelled, std::optional<std::string> value,
                 bool may_take_next) {
    constexpr std::string_view kRead = "read the options";
    if (!option.takes_value && value) return plain_error(kRead, spelled, "it takes no value");
    if (option.takes_value && !value) {
      if (!may_take_next || at_ + 1 >= words_.size()) {
        return plain_error(kRead, spelled, "it needs a value");
      }
      value = words_[++at_];
    }
    option.values.push_back(value.value_or(""));
    return Done{};
  }

  bool takes_value(const std::string& spelled) const {
    if (const OwnOption* own = find_own(spelled)) return own->takes_value;
    const Alias* alias = find_alias(spelled);
    const OptionRow* row = alias == nullptr ? nullptr : find_option(alias->name);
    return row != nullptr && row->needs_value() && !alias->value;
  }

  Status set(const std::string& spelled, std::optional<std::string> value, bool may_take_next) {
    if (OwnOption* own = find_own(spelled)) {
      return set_own(*own, spelled, std::move(value), may_take_next);
    }
    if (is_granted(spelled)) return Done{};
    if (spelled == "--verify") return set_verify(std::move(value), may_take_next);
    const Alias* alias = find_alias(spelled);
    std::string name = alias != nullptr               ? std::string(alias->name)
                       : spelled.substr(0, 2) == "--" ? spelled.substr(2)
                                                      : spelled;
    const OptionRow* row = find_option(name);
    if (row == nullptr || (alias == nullptr && spelled[1] != '-')) return unknown(spelled);
    const std::string next = may_take_next && at_ + 1 < words_.size() ? words_[at_ + 1] : "";
    const bool flag_there = alias != nullptr && alias->value;
    if (!value && flag_there && !is_one_of(alias->words, next)) value = std::string(*alias->value);
    if (!value && row->needs_value() && may_take_next && at_ + 1 < words_.size()) {
      value = next;
      ++at_;
    }
    return set_option(options_, name, value, Origin::command_line);
  }

  // No option of a packed file: what it says of itself proves nothing.
  Status set_verify(std::optional<std::string> value, bool may_take_next) {
    if (!value && may_take_next && at_ + 1 < words_.size()) value = words_[++at_];
    auto& asked = VerifySettings::of_this_run().asked;
    asked = parse_verify(value.value_or(""));
    if (asked) return Done{};
    return plain_error("read the options", "--verify=" + value.value_or(""), "it is not valid",
                       "--verify=off, warn or require");
  }

  Status unknown(const std::string& spelled) const {
    constexpr std::string_view kRead = "read the options";
    for (const Foreign& foreign : foreign_options()) {
      if (foreign.spelled != spelled) continue;
      return plain_error(kRead, spelled, "Apptainer's option is not one of ours", foreign.advice);
    }
    std::vector<std::string_view> known;
    for (const Alias& alias : aliases()) known.push_back(alias.spelled);
    for (const OwnOption& option : own_) known.push_back(option.spelled);
    std::vector<std::string> ours;
    for (const OptionRow& row : option_table()) {
      if (!row.help.empty()) ours.push_back(option_text(row.name));
    }
    ours.emplace_back("--verify");
    known.insert(known.end(), ours.begin(), ours.end());
    const std::string close = spelled.size() > 2 ? nearest(spelled, known) : "";
    return plain_error(
        kRead, spelled, "no such option",
        close.empty() ? option_text("help") + " lists them" : "did you mean " + close + "?");
  }

  const std::vector<std::string>& words_;
  Options& options_;
  std::span<OwnOption> own_;
  std::size_t at_ = 0;
};

}  // namespace

Result<RunLine> parse_run(const std::vector<std::string>& words, Options base,
                          std::span<OwnOption> own) {
  RunLine line{std::move(base), {}, {}};
  const std::size_t at = TRY(Reader(words, line.options, own).read());
  if (at < words.size()) {
    line.image = words[at];
    line.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
  }
  return line;
}

}  // namespace rootlet
