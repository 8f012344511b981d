// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "launcher/rules/rules.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::rules {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kRead = "read the rules";
constexpr std::size_t kLongest = 64u << 20;  // of a record of a long run; a run reads 1 MiB

// What is wrong, and where; carried to the surface as an Error.
struct Wrong {
  std::string place, reason;
};

// One object of the file: whatever nobody asks for is unknown, and wrong.
class Fields {
 public:
  Fields(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) throw Wrong{place_, "it must be an object"};
  }
  // After the last question.
  void check() const {
    for (const auto& [name, value] : json_.items()) {
      if (asked_.count(name) == 0) throw Wrong{place_, "unknown key \"" + name + "\""};
    }
  }

  const Json* find(const char* name) {
    asked_.insert(name);
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  std::string text(const char* name, bool required = false) {
    const Json* found = find(name);
    if (found == nullptr && required) wrong(std::string(name) + " is missing");
    if (found == nullptr) return "";
    if (!found->is_string()) wrong(std::string(name) + " must be a text");
    return found->get<std::string>();
  }
  bool truth(const char* name) {
    const Json* found = find(name);
    if (found == nullptr) return false;
    if (!found->is_boolean()) wrong(std::string(name) + " must be true or false");
    return found->get<bool>();
  }
  std::optional<std::uint64_t> number(const char* name, std::uint64_t most) {
    const Json* found = find(name);
    if (found == nullptr) return {};
    if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most) {
      wrong(std::string(name) + " must be a number from 0 to " + std::to_string(most));
    }
    return found->get<std::uint64_t>();
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    const Json* found = find(name);
    if (found == nullptr) return all;
    if (!found->is_array()) wrong(std::string(name) + " must be a list");
    for (const Json& item : *found) {
      if (!item.is_string()) wrong(std::string(name) + " must be a list of texts");
      all.push_back(item.get<std::string>());
    }
    return all;
  }
  Value value(const std::string& text) const {
    const auto value = Value::from(text);
    if (!value) wrong("'" + text + "' is no \"NUMBER NAME\"");
    return *value;
  }
  std::string word(const char* name, std::initializer_list<std::string_view> known,
                   bool required = false) {
    std::string found = text(name, required);
    for (const std::string_view one : known) {
      if (found == one) return found;
    }
    if (found.empty() && !required) return found;
    wrong(std::string(name) + " cannot be '" + found + "'");
  }
  // A path of the tool's, whole or below one of the run's own places.
  std::string path() {
    std::string found = text("path", true);
    bool known = found.starts_with('/');
    for (const std::string_view place : {"$CWD", "$HOME", "$BIND"}) {
      known = known || found == place || found.starts_with(std::string(place) + "/");
    }
    if (!known) wrong("path must be absolute, or begin with $CWD, $HOME or $BIND");
    return found;
  }
  Evidence evidence() { return {texts("runs"), number("count", UINT64_MAX).value_or(0)}; }

  [[noreturn]] void wrong(const std::string& reason) const { throw Wrong{place_, reason}; }

 private:
  const Json& json_;
  std::string place_;
  std::set<std::string> asked_;
};

Condition condition_of(const Json& json, const std::string& place) {
  Fields fields(json, place);
  Condition condition;
  condition.index = static_cast<unsigned>(fields.number("index", 5).value_or(6));
  if (condition.index > 5) fields.wrong("index is missing");
  if (const std::string mask = fields.text("mask"); !mask.empty())
    condition.mask = fields.value(mask);
  for (const std::string& text : fields.texts("values")) {
    condition.values.push_back(fields.value(text));
  }
  if (condition.values.empty()) fields.wrong("values is missing or empty");
  fields.check();
  return condition;
}

SystemCall read(Fields& fields, const std::string& place, SystemCall call) {
  call.name = fields.text("name", true);
  if (const Json* list = fields.find("arguments")) {
    if (!list->is_array()) fields.wrong("arguments must be a list");
    for (const Json& item : *list) call.arguments.push_back(condition_of(item, place));
  }
  call.evidence = fields.evidence();
  return call;
}

Path read(Fields& fields, const std::string&, Path path) {
  path.path = fields.path();
  path.below = fields.truth("below");
  for (const std::string& name : fields.texts("access")) {
    const auto access = access_of(name);
    if (!access) fields.wrong("access cannot be '" + name + "'");
    path.access.insert(*access);
  }
  path.where = fields.word("where", {"image", "bind", "scratch", "system", "elsewhere"});
  path.evidence = fields.evidence();
  return path;
}

Program read(Fields& fields, const std::string&, Program program) {
  program.path = fields.path();
  program.below = fields.truth("below");
  program.evidence = fields.evidence();
  return program;
}

Network read(Fields& fields, const std::string&, Network net) {
  net.direction = fields.word("direction", {"connect", "bind"}, true);
  net.family = fields.word("family", {"inet", "inet6", "unix", "netlink"}, true);
  net.type = fields.word("type", {"stream", "dgram", "seqpacket", "raw"});
  net.address = fields.text("address");
  if (const auto port = fields.number("port", 65535)) net.port = static_cast<std::uint16_t>(*port);
  net.evidence = fields.evidence();
  return net;
}

Run read(Fields& fields, const std::string&, Run run) {
  run.name = fields.text("name", true);
  run.date = fields.text("date");
  run.image = fields.text("image");
  run.end = fields.text("end");
  run.note = fields.text("note");
  run.command = fields.texts("command");
  return run;
}

template <typename Entry>
void read_list(Fields& document, const char* name, std::vector<Entry>& into) {
  const Json* list = document.find(name);
  if (list == nullptr) return;
  if (!list->is_array()) document.wrong(std::string(name) + " must be a list");
  for (const Json& item : *list) {
    const std::string place = std::string(name) + "[" + std::to_string(into.size()) + "]";
    Fields fields(item, place);
    into.push_back(read(fields, place, Entry{}));
    fields.check();
  }
}

Rules read_document(const Json& json) {
  Rules rules;
  Fields document(json, "the file");
  const auto version = document.number("rootlet_rules", 1u << 20);
  if (!version) document.wrong("rootlet_rules is missing: is it a file of rules?");
  if (*version != kVersion) document.wrong("it is of version " + std::to_string(*version));
  (void)document.text("$schema");
  if (const std::string machine = document.text("machine"); !machine.empty())
    rules.machine = machine;
  rules.about = document.text("about");
  if (const Json* otherwise = document.find("otherwise")) {
    Fields fields(*otherwise, "otherwise");
    const std::string action = fields.word("action", {"deny", "kill", "log"}, true);
    rules.action = action == "deny" ? Action::deny : action == "kill" ? Action::kill : Action::log;
    if (const std::string error = fields.text("errno"); !error.empty())
      rules.error = fields.value(error);
    if (rules.error.number == 0 || rules.error.number > 4095) fields.wrong("errno is no errno");
    fields.check();
  }
  read_list(document, "runs", rules.runs);
  read_list(document, "system_calls", rules.system_calls);
  read_list(document, "paths", rules.paths);
  read_list(document, "programs", rules.programs);
  read_list(document, "network", rules.network);
  document.check();
  rules.normalise();
  return rules;
}

}  // namespace

Result<Rules> parse_rules(const std::string& text, const std::string& name) {
  try {
    return read_document(Json::parse(text));
  } catch (const Wrong& wrong) {
    return plain_error(kRead, name, wrong.place + ": " + wrong.reason,
                       "docs/rules.md describes the file");
  } catch (const Json::exception& error) {
    return plain_error(kRead, name, error.what());
  }
}

Result<Rules> read_rules(const std::string& file) {
  auto text = os::read_file(AT_FDCWD, file, kLongest);
  if (text.ok()) return parse_rules(text.value(), file);
  Error error = std::move(text).error();
  error.action = kRead;
  return error;
}

}  // namespace rootlet::rules
