// SPDX-License-Identifier: MIT
#include "runtime/run/ids.hpp"

#include <sys/prctl.h>

#include <cstdlib>

#include "runtime/base/text.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/host_program.hpp"

namespace rootlet {
namespace {

using sandbox::IdMap;
using sandbox::IdRange;
using sandbox::Ids;

// Uids and gids are treated alike, and differ in these.
struct Kind {
  std::string_view option;   // uid-map
  std::string_view map;      // uid_map, of /proc/PID
  std::string_view program;  // newuidmap
  std::string_view listing;  // /etc/subuid
  std::uint32_t own;         // the caller's
};
Kind users(const Caller& caller) {
  return {"uid-map", "uid_map", "newuidmap", "/etc/subuid", caller.uid};
}
Kind groups(const Caller& caller) {
  return {"gid-map", "gid_map", "newgidmap", "/etc/subgid", caller.gid};
}

constexpr std::string_view kMap = "map ids";
constexpr std::size_t kMostBytes =
    2048;  // of a map made from /etc/subuid; what is more is left out

bool new_privileges_are_off() { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }

// What subuid(5) gives the caller, as ranges from 1 on.
IdMap subordinate_ids(const Kind& kind, const Caller& caller) {
  IdMap map;
  auto text = os::read_file(AT_FDCWD, std::string(kind.listing), 1u << 20);
  if (!text.ok()) return map;
  unsigned long inside = 1;
  for (const std::string& line : split_escaped(text.value(), '\n')) {
    const auto fields = split_escaped(line, ':');
    if (fields.size() != 3 || map.size() > kMostBytes) continue;
    if (fields[0] != caller.user && fields[0] != digits(caller.uid)) continue;
    const unsigned long first = std::strtoul(fields[1].c_str(), nullptr, 10);
    const unsigned long count = std::strtoul(fields[2].c_str(), nullptr, 10);
    const bool sound = first > 0 && count > 0 && first < UINT32_MAX && count < UINT32_MAX - first &&
                       count < UINT32_MAX - inside;
    if (!sound || (kind.own >= first && kind.own - first < count)) continue;
    map += join({digits(inside), " ", digits(first), " ", digits(count), "\n"});
    inside += count;
  }
  return map;
}

// Who may write this map (user_namespaces(7)).
Result<Ids::Writer> choose_writer(const Kind& kind, const IdMap& map, const Caller& caller) {
  if (!sandbox::has_many(map) && sandbox::inside_of(map, kind.own)) return Ids::Writer::init;
  if (caller.uid == 0) return Ids::Writer::launcher;
  if (find_host_program(kind.program).empty()) {
    return plain_error(kMap, option_text(kind.option),
                       join({"ids other than your own need the program ", kind.program,
                             ", which is not in /usr/bin or /bin"}),
                       "install the package uidmap");
  }
  if (new_privileges_are_off()) {
    return plain_error(kMap, option_text(kind.option),
                       join({kind.program, " has no effect under no_new_privs"}),
                       "run it outside of what has set no_new_privs");
  }
  return Ids::Writer::program;
}

// Uid 0 inside is the caller; where the host lends him more ids, they follow.
void add_lent_ids(Ids& ids, const Caller& caller) {
  const IdMap uids = subordinate_ids(users(caller), caller);
  const IdMap gids = subordinate_ids(groups(caller), caller);
  if (uids.empty() || gids.empty()) return;
  if (!choose_writer(users(caller), ids.uids + uids, caller).ok() ||
      !choose_writer(groups(caller), ids.gids + gids, caller).ok()) {
    return;
  }
  ids.uids += uids;
  ids.gids += gids;
}

// The tool's own id: the caller's, as the map shows it; where it leaves him
// out, the first of the map.
std::uint32_t own_inside(const Kind& kind, std::string_view map, bool& become) {
  if (const auto inside = sandbox::inside_of(map, kind.own)) return *inside;
  become = true;
  IdRange first;
  next_range(map, first);
  return first.inside;
}

// A refusal of newuidmap, and what can be done about it.
Error refused(const Kind& kind, const Caller& caller, std::string reason) {
  for (char& c : reason) c = c == '\n' ? ' ' : c;
  if (reason.empty()) reason = join({kind.program, " failed"});
  std::string hint;
  IdMap lent = subordinate_ids(kind, caller);
  if (lent.empty()) {
    hint = join({kind.listing, " has no line for ", caller.user,
                 "; an administrator adds one: usermod --add-subuids 100000-165535 "
                 "--add-subgids 100000-165535 ",
                 caller.user});
  } else {
    for (char& c : lent) c = c == '\n' ? ',' : c;
    lent.pop_back();
    hint = join({kind.listing, " would allow '0 ", digits(kind.own), " 1,", lent, "'"});
  }
  return plain_error(kMap, option_text(kind.option), reason, hint);
}

Status write_by_program(const Kind& kind, const IdMap& map, pid_t init, const Caller& caller) {
  std::vector<std::string> arguments = {digits(static_cast<unsigned long>(init))};
  std::string numbers = map;
  for (char& c : numbers) c = c == '\n' ? ' ' : c;
  for (std::string& number : split_escaped(numbers, ' ')) {
    if (!number.empty()) arguments.push_back(std::move(number));
  }
  HostProgramEnd end = TRY(run_host_program(find_host_program(kind.program), arguments));
  if (end.status == 0) return Done{};
  return refused(kind, caller, std::move(end.words));
}

Status write_map(const Kind& kind, Ids::Writer writer, const IdMap& map, pid_t init,
                 const Caller& caller) {
  if (writer == Ids::Writer::init) return Done{};
  if (writer == Ids::Writer::program) return write_by_program(kind, map, init, caller);
  const std::string path =
      join({"/proc/", digits(static_cast<unsigned long>(init)), "/", kind.map});
  auto written = os::write_file(path, map, kMap);
  if (written.ok()) return written;
  Error error = std::move(written).error();
  error.subject = option_text(kind.option);
  error.hint = error.code == EPERM
                   ? join({"it names ids that this container does not have: /proc/self/", kind.map})
                   : "before Linux 4.15 a map has at most 5 ranges";
  return error;
}

}  // namespace

Result<Ids> choose_ids(const Options& options, const Caller& caller) {
  Ids ids = sandbox::own_ids(caller.uid, caller.gid);
  if (options.fake_root) {
    if (options.uid_map || options.gid_map) {
      return plain_error("read the options", option_text("fake-root"), "it makes both maps itself",
                         "leave out uid-map and gid-map, or fake-root");
    }
    ids.uids = sandbox::map_line({0, caller.uid, 1});
    ids.gids = sandbox::map_line({0, caller.gid, 1});
    add_lent_ids(ids, caller);
  }
  if (options.uid_map) ids.uids = *options.uid_map;
  if (options.gid_map) ids.gids = *options.gid_map;
  ids.uid_writer = TRY(choose_writer(users(caller), ids.uids, caller));
  ids.gid_writer = TRY(choose_writer(groups(caller), ids.gids, caller));
  ids.uid = own_inside(users(caller), ids.uids, ids.become);
  ids.gid = own_inside(groups(caller), ids.gids, ids.become);
  return ids;
}

Status write_maps(const Ids& ids, pid_t init, const Caller& caller) {
  TRY(write_map(users(caller), ids.uid_writer, ids.uids, init, caller));
  return write_map(groups(caller), ids.gid_writer, ids.gids, init, caller);
}

}  // namespace rootlet
