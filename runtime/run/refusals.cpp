// SPDX-License-Identifier: MIT
#include "runtime/run/refusals.hpp"

#include <poll.h>
#include <sys/ioctl.h>

#include <csignal>
#include <cstring>

#include "runtime/base/log.hpp"
#include "runtime/base/text.hpp"
#include "runtime/os/socket.hpp"
#include "runtime/rules/call_names.hpp"
#include "runtime/run/rules_of_run.hpp"
#include "runtime/run/status_report.hpp"
#include "runtime/sandbox/rule_filter.hpp"

namespace rootlet {
namespace {

constexpr std::size_t kMostKinds = 1024;
constexpr std::string_view kAction = "listen for what the rules refuse";

// The kernel copies as much as its own structures have, which may grow
// (SECCOMP_GET_NOTIF_SIZES); those of 6.18 are 80 and 24 bytes.
union Room {
  seccomp_notif call;
  seccomp_notif_resp answer;
  char bytes[512];
};

std::string hex(std::uint64_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), kDigits[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + out;
}

// The arguments that decide what a call does, as bits, where a rule should not
// allow all of it.
unsigned decisive(std::string_view name) {
  if (name == "ioctl" || name == "fcntl") return 2;
  if (name == "mprotect") return 4;
  if (name == "mmap") return 12;
  return name == "socket" || name == "prctl" ? 1 : 0;
}

}  // namespace

Result<Refusals> Refusals::prepare(sandbox::Plan& plan) {
  Refusals made;
  if (plan.rules.empty()) return made;
  made.rules_ = &plan.rules;
  made.told_paths_ = plan.tell_paths;
  made.paths_.resize(plan.rules.size());
  made.kept_ = TRY(keep_rules(plan));
  auto [ours, theirs] = TRY(os::socket_pair(kAction));
  made.door_ = std::move(ours);
  made.theirs_ = std::move(theirs);
  plan.rules_door = made.theirs_.get();
  return made;
}

void Refusals::take_listener() {
  auto message = os::receive_message(door_.get(), 1, kAction);
  if (message.ok() && !message.value().descriptors.empty()) {
    listener_ = std::move(message.value().descriptors.front());
    for (PathCheck& paths : paths_) paths.began_with(message.value().text);
  }
  door_.reset();  // or the tool never ran
}

std::optional<int> Refusals::hear(short events) {
  if (!listener_.valid()) {
    take_listener();
    return {};
  }
  if ((events & POLLIN) == 0) {  // nobody is under the filter any more
    listener_.reset();
    return {};
  }
  Room room;
  std::memset(&room, 0, sizeof room);
  // A caller that a signal has called away is no news.
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &room) != 0) return {};
  return judge(room.call);
}

std::optional<int> Refusals::judge(const seccomp_notif& call) {
  std::uint64_t arguments[6];
  std::memcpy(arguments, call.data.args, sizeof arguments);
  for (std::size_t i = 0; i < rules_->size(); ++i) {
    const Rules& rules = (*rules_)[i];
    // Told of alone: what comes of a path the kernel decides, and nobody can change
    // that by changing the name meanwhile.
    if (told_paths_) {
      for (const PathNeed& need : paths_[i].look(rules, call)) tell_path(rules, call, need);
    }
    if (sandbox::allows(rules, static_cast<std::uint32_t>(call.data.nr), arguments)) continue;
    tell_call(rules, call);
    if (rules.action == Rules::Action::kill) return SIGSYS;
    if (rules.action == Rules::Action::log) continue;
    answer(call.id, static_cast<int>(rules.error), false);
    return {};
  }
  answer(call.id, 0, true);
  return {};
}

void Refusals::answer(std::uint64_t id, int error, bool go_on) const {
  Room room;
  std::memset(&room, 0, sizeof room);
  room.answer.id = id;
  room.answer.error = -error;
  room.answer.flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
  (void)::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &room);
}

bool Refusals::is_new(std::uint32_t number, const std::string& what) {
  for (Kind& kind : kinds_) {
    if (kind.number == number && kind.what == what) return ++kind.count == 1;
  }
  if (kinds_.size() >= kMostKinds) {
    ++kinds_.back().count;
    return false;
  }
  kinds_.push_back({number, what, 1});
  return true;
}

void Refusals::tell_call(const Rules& rules, const seccomp_notif& call) {
  const auto number = static_cast<std::uint32_t>(call.data.nr);
  const std::string_view name = call_name(number);
  unsigned indexes = 0;  // of the arguments that decide, as bits
  for (const Rules::Call& known : rules.calls) {
    if (known.number != number) continue;
    for (const auto& condition : known.conditions) indexes |= 1u << condition.index;
  }
  if (indexes == 0) indexes = decisive(name);
  std::string what(name), allow = "system_calls: {\"name\": \"";
  allow += join({name, "\""});
  what += join({"(", name_in(call)});
  const char* before = ", \"arguments\": [";
  for (unsigned index = 0; index < 6; ++index) {
    if ((indexes & (1u << index)) == 0) continue;
    const std::string value = hex(static_cast<std::uint32_t>(call.data.args[index]));
    const char digit = static_cast<char>('0' + index);
    what += join({what.back() == '(' ? "argument " : ", argument ", {&digit, 1}, " = ", value});
    allow += join({before, "{\"index\": ", {&digit, 1}, ", \"values\": [\"", value, "\"]}"});
    before = ", ";
  }
  what += ')';
  allow += indexes != 0 ? "]}" : "}";
  if (is_new(number, what)) tell(rules, call, what, allow);
}

void Refusals::tell_path(const Rules& rules, const seccomp_notif& call, const PathNeed& need) {
  const bool program = need.access == Rules::execute;
  std::string what, allow = program ? "programs" : "paths";
  allow += join({": {\"path\": ", json_string(need.path)});
  const char* before = ", \"access\": [\"";
  for (unsigned bit = 1; bit <= Rules::execute; bit <<= 1) {
    if ((need.access & bit) == 0) continue;
    const std::string_view name = access_name(static_cast<Rules::Access>(bit));
    what += join({name, " "});
    if (!program) allow += join({before, name, "\""});
    before = ", \"";
  }
  what += printable(need.path);
  allow += program ? "}" : "]}";
  if (is_new(static_cast<std::uint32_t>(call.data.nr), what)) tell(rules, call, what, allow);
}

void Refusals::tell(const Rules& rules, const seccomp_notif& call, const std::string& what,
                    const std::string& allow) {
  const bool log = rules.action == Rules::Action::log;
  const std::string program = program_of(call.pid);
  std::string line = rules.name;
  line += join({": ", program, " (pid ", digits(call.pid),
                log ? ") would be refused: " : ") was refused: ", what, "; to allow it, add to ",
                allow});
  Log::note(line);
  StatusReport::of_this_run().refused(static_cast<int>(call.pid), program, what, rules.name, allow,
                                      !log);
}

void Refusals::sum_up() const {
  std::uint64_t more = 0;
  for (const Kind& kind : kinds_) more += kind.count - 1;
  if (more == 0) return;
  std::string line = rules_->front().name;
  line += join({": the same, ", digits(more), " times more"});
  Log::note(line);
}

}  // namespace rootlet
