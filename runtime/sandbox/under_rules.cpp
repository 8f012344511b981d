// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "runtime/os/socket.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/landlock.hpp"
#include "runtime/sandbox/rule_filter.hpp"
#include "runtime/sandbox/seccomp.hpp"
#include "runtime/sandbox/spokesman.hpp"
#include "runtime/sandbox/tool_steps.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kTell = "hand on the listener";

// Landlock first: it needs calls that the filters may refuse.
Status enter_rules(const Plan& plan) {
  for (const Rules& rules : plan.rules) {
    if (rules.action != Rules::Action::log) TRY(restrict_to(rules));
  }
  return Done{};
}

// All that a process under rules does, made ready: from its filter on it stores,
// executes and ends, and every other call may be refused.
struct UnderRules {
  const Plan& plan;
  int control;
  const std::string& program;
  std::vector<sock_filter> filter;
  // What it leaves to its spokesman.
  int listener = -1;  // heard of while it waits for an answer to its execve(2)
  bool filtered = false;
  int code = 0;  // the errno of the step that failed

  Status compile() {
    RuleFilterUse use;
    use.tells = plan.rules_door >= 0;
    use.paths_too = plan.tell_paths && use.tells;
    const int version = landlock_version();
    use.truncation = version > 0 && version < kLandlockTruncates;
    filter = TRY(compile_filter(plan.rules, use));
    return Done{};
  }

  // An errno.
  int run(char* const* argv, char* const* env) {
    const bool listens = plan.rules_door >= 0;
    const int done = raw_filter(filter, listens);
    if (done < 0) return errno;
    filtered = true;
    if (listens) __atomic_store_n(&listener, done, __ATOMIC_RELEASE);
    ::execve(program.c_str(), argv, env);
    return errno;
  }

  void speak(bool gone) {
    const int found = __atomic_load_n(&listener, __ATOMIC_ACQUIRE);
    if (found >= 0) (void)os::send_message(plan.rules_door, program, {found}, kTell);
    if (found >= 0) listener = -1;
    if (!gone || code == 0) return;
    Error error = explain(code, program, plan.root == RootKind::image);
    if (!filtered) {
      error = Error{code, "enforce the rules", "the system-call filter", "", ""};
    } else if (code == EACCES) {
      error.hint = "the rules may not allow it, or its loader: both belong into programs";
    }
    (void)send_message(control, {Message::Kind::failed, 0, "", std::move(error)});
  }
};

}  // namespace

[[noreturn]] void start_under_rules(const Plan& plan, int control, const std::string& program) {
  UnderRules start{plan, control, program, {}};
  const std::vector<char*> argv = pointers(plan.argv), env = pointers(plan.env);
  auto ready = enter_rules(plan);
  if (ready.ok()) ready = start.compile();
  Spokesman spokesman;
  const auto speak = [](void* subject, bool gone) {
    static_cast<UnderRules*>(subject)->speak(gone);
  };
  if (ready.ok()) ready = spokesman.start(speak, &start);
  if (ready.ok() && !plan.ids.many()) ready = install_own_filters(plan);
  if (!ready.ok()) give_up(control, std::move(ready).error());
  start.code = start.run(argv.data(), env.data());
  const bool missing = start.code == ENOENT || start.code == ENOTDIR;
  ::_exit(!start.filtered ? 125 : missing ? 127 : 126);
}

}  // namespace rootlet::sandbox
