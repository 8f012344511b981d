// SPDX-License-Identifier: MIT
#include "launcher/seccomp_profile.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "runtime/os/fd.hpp"
#include "runtime/run/filter_file.hpp"

namespace rootlet {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kCompile = "compile the seccomp profile";

#if defined(__aarch64__)
constexpr const char* kMachine = "arm64";
#else
constexpr const char* kMachine = "amd64";
#endif

// What a profile says that cannot be done; carried to the surface as an Error.
struct Unusable {
  std::string reason;
};

std::uint32_t action_of(const std::string& name, const Json& from, const char* number) {
  const auto errno_of = [&]() -> std::uint32_t {
    return from.contains(number) && from[number].is_number_unsigned()
               ? from[number].get<std::uint32_t>() & 0xffff
               : EPERM;
  };
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(errno_of());
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  throw Unusable{"the action " + name + " cannot be used: nobody would answer it"};
}

scmp_compare comparison_of(const std::string& name) {
  static const std::map<std::string, scmp_compare> known = {
      {"SCMP_CMP_NE", SCMP_CMP_NE},
      {"SCMP_CMP_LT", SCMP_CMP_LT},
      {"SCMP_CMP_LE", SCMP_CMP_LE},
      {"SCMP_CMP_EQ", SCMP_CMP_EQ},
      {"SCMP_CMP_GE", SCMP_CMP_GE},
      {"SCMP_CMP_GT", SCMP_CMP_GT},
      {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
  const auto found = known.find(name);
  if (found == known.end()) throw Unusable{"no such comparison: " + name};
  return found->second;
}

bool contains(const Json& list, const std::string& word) {
  return list.is_array() && std::find(list.begin(), list.end(), Json(word)) != list.end();
}

bool kernel_is_at_least(const std::string& wanted) {
  utsname name{};
  ::uname(&name);
  int have[2] = {}, want[2] = {};
  std::sscanf(name.release, "%d.%d", &have[0], &have[1]);
  std::sscanf(wanted.c_str(), "%d.%d", &want[0], &want[1]);
  return have[0] != want[0] ? have[0] > want[0] : have[1] >= want[1];
}

// Docker's conditions: of the capabilities a run has none.
bool applies(const Json& rule) {
  const Json includes = rule.value("includes", Json::object());
  const Json excludes = rule.value("excludes", Json::object());
  if (includes.contains("caps") && !includes["caps"].empty()) return false;
  if (includes.contains("arches") && !includes["arches"].empty() &&
      !contains(includes["arches"], kMachine)) {
    return false;
  }
  if (excludes.contains("arches") && contains(excludes["arches"], kMachine)) return false;
  return !includes.contains("minKernel") ||
         kernel_is_at_least(includes["minKernel"].get<std::string>());
}

class Profile {
 public:
  explicit Profile(const Json& json)
      : json_(json),
        default_(action_of(json.at("defaultAction"), json, "defaultErrnoRet")),
        filter_(::seccomp_init(default_), ::seccomp_release) {
    if (!filter_) throw Unusable{"libseccomp has no memory"};
  }

  std::string compile() {
    for (const Json& rule : json_.value("syscalls", Json::array())) {
      if (applies(rule)) add(rule);
    }
    const os::Fd memory(::memfd_create("filter", MFD_CLOEXEC));
    if (!memory.valid() || ::seccomp_export_bpf(filter_.get(), memory.get()) != 0) {
      throw Unusable{"libseccomp cannot compile it"};
    }
    std::string program(static_cast<std::size_t>(::lseek(memory.get(), 0, SEEK_END)), '\0');
    const ssize_t got = ::pread(memory.get(), program.data(), program.size(), 0);
    program.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return program;
  }

 private:
  void add(const Json& rule) {
    const std::uint32_t action = action_of(rule.at("action"), rule, "errnoRet");
    if (action == default_) return;
    std::vector<scmp_arg_cmp> arguments;
    for (const Json& argument : rule.value("args", Json::array())) {
      arguments.push_back({argument.at("index").get<unsigned>(), comparison_of(argument.at("op")),
                           argument.at("value").get<std::uint64_t>(),
                           argument.value("valueTwo", std::uint64_t{0})});
    }
    Json names = rule.value("names", Json::array());
    if (rule.contains("name")) names.push_back(rule["name"]);
    for (const std::string name : names) add_call(name, action, arguments);
  }

  void add_call(const std::string& name, std::uint32_t action,
                const std::vector<scmp_arg_cmp>& arguments) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) {
      // Unknown and allowed: it falls to the default, which is stricter.
      if (action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG) return;
      throw Unusable{"libseccomp does not know the call " + name + ", which is to be refused"};
    }
    const int done = ::seccomp_rule_add_array(
        filter_.get(), action, number, static_cast<unsigned>(arguments.size()), arguments.data());
    // Not of this machine (i386's names in a profile for all), or said twice.
    if (done == 0 || done == -EDOM || done == -EEXIST) return;
    throw Unusable{"the rule for " + name + " cannot be used"};
  }

  const Json& json_;
  std::uint32_t default_;
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter_;
};

Result<std::string> compile(const std::string& text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    return Profile(json).compile();
  } catch (const Unusable& unusable) {
    return plain_error(kCompile, file, unusable.reason);
  } catch (const Json::exception& error) {
    return plain_error(kCompile, file, error.what(), "an OCI seccomp profile is wanted");
  }
}

}  // namespace

void take_seccomp_profiles() { compile_profiles_with(compile); }

}  // namespace rootlet
