// SPDX-License-Identifier: MIT
#include "packaging/assemble.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "packaging/appdir.hpp"
#include "packaging/check.hpp"
#include "packaging/mount_points.hpp"
#include "packaging/output_file.hpp"
#include "packaging/policy_file.hpp"
#include "packaging/source.hpp"
#include "packaging/squashfs.hpp"
#include "packaging/stub.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kBuild = "build";
// Beyond this the files for the start are too many to be left uncompressed,
// and only the program itself, its loader and libc are.
constexpr std::uint64_t kUncompressedAtMost = 64 << 20;

// The time of all that build adds; later times of the source are cut to it.
// reproducible-builds.org/specs/source-date-epoch
Result<std::optional<std::uint32_t>> source_date_epoch() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return std::optional<std::uint32_t>{};
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (errno != 0 || *end != '\0' || *text == '-' || value > 0xffffffff) {
    return plain_error("read SOURCE_DATE_EPOCH", text, "not a number of seconds below 2^32");
  }
  return std::optional(static_cast<std::uint32_t>(value));
}

void clamp_times(Tree& tree, std::uint32_t latest) {
  const auto clamp = [latest](Node& node) {
    node.mtime = std::min<std::int64_t>(node.mtime, latest);
  };
  clamp(tree.root());
  tree.each([&](const std::string&, const NodePtr& node) { clamp(*node); });
}

Error no_entry(const Tree& tree, const std::string& source) {
  std::string hint = "add --entry PROGRAM";
  const std::vector<std::string> candidates = candidate_programs(tree, 10);
  if (!candidates.empty()) hint += "; the image holds for example";
  for (const std::string& path : candidates) hint += " " + path;
  return plain_error(kBuild, source, "which of its programs shall run?", hint);
}

// The policy that goes into the image, and its text.
struct Decided {
  Policy policy;
  std::string toml;
};

const std::string& first_program(const Policy& policy) {
  return policy.entrypoint.empty() ? policy.commands.front().second : policy.entrypoint.front();
}

Result<Decided> decide_policy(const BuildRequest& request, const Source& source,
                              std::uint16_t machine) {
  Decided out;
  Policy& policy = out.policy;
  if (!request.policy_file.empty()) policy = TRY(read_policy_file(request.policy_file));
  if (!request.entry.empty()) policy.entrypoint = {request.entry};
  if (!request.name.empty()) policy.name = request.name;
  if (!request.version.empty()) policy.version = request.version;

  const bool appdir = source.kind == Source::Kind::kAppDir;
  if (policy.entrypoint.empty() && policy.commands.empty()) {
    if (!appdir) return no_entry(source.tree, source.path);
    policy.own_apprun = true;
    policy.entrypoint = {"/AppRun"};
  }
  if (!policy.entrypoint.empty()) {
    const Check lookup(source.tree, machine, policy.env);
    const std::string program = lookup.find_program(policy.entrypoint[0]);
    if (program.empty()) {
      Error error = no_entry(source.tree, policy.entrypoint[0]);
      error.reason = "no such program in the image's PATH directories";
      return error;
    }
    policy.entrypoint[0] = program;
  }
  if (policy.name.empty() && appdir) policy.name = desktop_name(source.tree);
  if (policy.name.empty()) policy.name = name_of(first_program(policy));
  out.toml = policy_to_toml(policy);
  return out;
}

// The text of a given policy file goes into the image as it was written; only
// what the command line changed makes it another one.
Result<std::string> policy_text(const BuildRequest& request, const Decided& decided) {
  if (request.policy_file.empty()) return decided.toml;
  const int raw = ::open(request.policy_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) return last_error("read the policy", request.policy_file);
  const os::Fd file(raw);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(raw, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  if (!request.entry.empty() || !request.name.empty() || !request.version.empty()) {
    text += "\n# The command line of `rootlet build` gave instead:\n";
    std::istringstream lines(decided.toml);
    for (std::string line; std::getline(lines, line);) text += "# " + line + "\n";
  }
  return text;
}

Status check_programs(Check& check, const Policy& policy) {
  if (!policy.entrypoint.empty()) TRY(check.program(policy.entrypoint[0]));
  for (const auto& [name, path] : policy.commands) TRY(check.program(path));
  if (!policy.selftest.empty()) {
    const std::string program = check.find_program(policy.selftest[0]);
    TRY(check.program(program.empty() ? policy.selftest[0] : program));
  }
  return Done{};
}

// The image in the order of its start: the policy, AppRun, then what the check
// found. Too much of it: the program, its loader and libc alone.
std::vector<NodePtr> start_files(const Tree& tree, const Check& check) {
  std::vector<NodePtr> files;
  const auto add = [&](const NodePtr& node) {
    if (node && node->is_file()) files.push_back(node);
  };
  add(tree.find(kPolicyPath));
  add(tree.find("AppRun"));
  std::uint64_t total = 0;
  for (const Tree::Place& place : check.files()) total += place.node->size;
  for (std::size_t i = 0; i < check.files().size(); ++i) {
    const Tree::Place& place = check.files()[i];
    const bool essential = i < 2 || name_of(place.path).starts_with("libc.");
    if (total <= kUncompressedAtMost || essential) add(place.node);
  }
  return files;
}

std::string build_json(const Source& source, const Decided& decided, const Tree& tree) {
  std::uint64_t entries = 1;
  tree.each([&](const std::string&, const NodePtr&) { ++entries; });
  nlohmann::json json;
  json["rootlet"] = ROOTLET_VERSION;
  json["source"] = kind_name(source.kind);
  json["entry"] = decided.policy.entrypoint;
  json["name"] = decided.policy.name;
  json["entries"] = entries;
  // A path need not be UTF-8; JSON has to be.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string default_output(const Policy& policy, std::uint16_t machine) {
  std::string name = file_name_of(policy.name);
  if (!policy.version.empty()) name += "-" + file_name_of(policy.version);
  return name + "-" + machine_file_name(machine) + ".AppImage";
}

std::string or_own(const std::string& given, const std::string& name) {
  return given.empty() ? find_own_file(name) : given;
}

// AppRun belongs to the stub: one beside a given stub comes before our own.
std::string find_apprun(const BuildRequest& request) {
  if (!request.apprun.empty()) return request.apprun;
  if (!request.stub.empty()) {
    const std::size_t slash = request.stub.rfind('/');
    const std::string here = slash == std::string::npos ? "." : request.stub.substr(0, slash);
    const std::string beside = here + "/rootlet-apprun";
    if (::access(beside.c_str(), R_OK) == 0) return beside;
  }
  return find_own_file("rootlet-apprun");
}

Result<Stub> prepare_stub(const BuildRequest& request) {
  const std::string path = or_own(request.stub, "rootlet-stub");
  if (path.empty()) {
    return plain_error(kBuild, "rootlet-stub", "not found beside this command",
                       "name it with --stub FILE");
  }
  Stub stub = TRY(read_stub(path));
  if (!request.update_information.empty()) {
    TRY(set_update_information(stub, request.update_information));
  }
  return stub;
}

Status check_block_size(std::uint32_t size) {
  if (size >= 4096 && size <= (1u << 20) && (size & (size - 1)) == 0) return Done{};
  return plain_error(kBuild, "--block-size", "squashfs has powers of two from 4K to 1M",
                     "128K suits most images");
}

// Stub, then image, under the output's name only when all of it is there.
Result<SquashfsStats> write_output(const std::string& path, const Stub& stub, const Tree& tree,
                                   SquashfsOptions options) {
  OutputFile output = TRY(OutputFile::create(path));
  options.offset = stub.bytes.size();
  auto stats = write_squashfs(tree, output.fd(), options);
  if (!stats.ok()) {
    Error error = stats.error();
    if (error.subject.empty()) error.subject = path;
    return error;
  }
  for (std::size_t at = 0; at < stub.bytes.size();) {
    const ssize_t put = ::pwrite(output.fd(), stub.bytes.data() + at, stub.bytes.size() - at,
                                 static_cast<off_t>(at));
    if (put < 0) return last_error("write the file", path);
    at += static_cast<std::size_t>(put);
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  TRY(output.publish(0755 & ~mask));
  return stats;
}

}  // namespace

Result<BuildSummary> build(const BuildRequest& request) {
  TRY(check_block_size(request.block_size));
  const auto epoch = TRY(source_date_epoch());
  const std::uint32_t time = epoch.value_or(0);
  const Stub stub = TRY(prepare_stub(request));
  if (!request.output.empty()) TRY(check_replaceable(request.output, request.force));

  Source source = TRY(read_source(request.source));
  const Decided decided = TRY(decide_policy(request, source, stub.machine));
  const std::string output =
      request.output.empty() ? default_output(decided.policy, stub.machine) : request.output;
  TRY(check_replaceable(output, request.force));

  // Checked as the source brings it: nothing that build adds can mend it.
  Check check(source.tree, stub.machine, decided.policy.env);
  const Status sound = check_programs(check, decided.policy);
  if (request.check && !sound.ok()) {
    Error error = sound.error();
    if (source.kind == Source::Kind::kAppDir) {
      error.hint += "; an AppDir that counts on the host's files has to bring them";
    }
    return error;
  }

  TRY(add_mount_points(source.tree, time));
  const AppDirParts parts{decided.policy, TRY(policy_text(request, decided)),
                          build_json(source, decided, source.tree), find_apprun(request), time};
  TRY(add_appdir_parts(source.tree, parts));
  if (parts.apprun_file.empty() && !parts.policy.own_apprun && adds_to_entry(parts.policy)) {
    source.note =
        "no rootlet-apprun beside the stub: AppRun is a symlink, and other AppImage "
        "runtimes will not see the policy's arguments, environment and commands";
  }
  if (epoch) clamp_times(source.tree, time);

  SquashfsOptions options;
  options.block_size = request.block_size;
  options.level = request.level;
  options.time = time;
  options.threads = request.threads;
  options.first = start_files(source.tree, check);
  options.progress = request.progress;
  const SquashfsStats stats = TRY(write_output(output, stub, source.tree, options));
  return BuildSummary{output,
                      first_program(decided.policy),
                      std::string(kind_name(source.kind)),
                      source.note,
                      stub.bytes.size(),
                      stats.bytes,
                      stats.content,
                      stats.inodes};
}

}  // namespace rootlet::packaging
