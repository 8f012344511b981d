// SPDX-License-Identifier: MIT
#include "packaging/assemble.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "packaging/appdir.hpp"
#include "packaging/check.hpp"
#include "packaging/decide.hpp"
#include "packaging/difference.hpp"
#include "packaging/image_tree.hpp"
#include "packaging/mount_points.hpp"
#include "packaging/output_file.hpp"
#include "packaging/seal_image.hpp"
#include "packaging/source.hpp"
#include "packaging/squashfs.hpp"
#include "packaging/stub.hpp"
#include "packaging/tree_digest.hpp"

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

// A source that was made by this build (installed packages) knows what its own
// newest file is; an epoch that is later counts more.
std::optional<std::uint32_t> latest_time(std::optional<std::uint32_t> epoch, const Source& source) {
  if (!source.time) return epoch;
  const auto own =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(*source.time, 0, 0xffffffff));
  return std::max(own, epoch.value_or(0));
}

void clamp_times(Tree& tree, std::uint32_t latest) {
  const auto clamp = [latest](Node& node) {
    node.mtime = std::min<std::int64_t>(node.mtime, latest);
  };
  clamp(tree.root());
  tree.each([&](const std::string&, const NodePtr& node) { clamp(*node); });
}

// The image in the order of its start: the policy, AppRun, then what the check
// found. Too much of it: the program, its loader and libc alone.
std::vector<NodePtr> start_files(const Tree& tree, const Check& check) {
  std::vector<NodePtr> files;
  std::unordered_set<const Node*> packed;  // the base may have them
  tree.each([&](const std::string&, const NodePtr& node) { packed.insert(node.get()); });
  const auto add = [&](const NodePtr& node) {
    if (node && node->is_file() && packed.contains(node.get())) files.push_back(node);
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
  for (const auto& [key, value] : source.origin) json["origin"][key] = value;
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
                                   SquashfsOptions options, bool seal) {
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
  if (seal) {
    const Superblock image = TRY(read_superblock(output.fd(), options.offset, path));
    TRY(seal_image({output.fd(), options.offset, image.bytes_used}, path, options.threads));
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  TRY(output.publish(0755 & ~mask));
  return stats;
}

}  // namespace

Result<BuildSummary> build(const BuildRequest& request) {
  TRY(check_block_size(request.block_size));
  auto epoch = TRY(source_date_epoch());
  const Stub stub = TRY(prepare_stub(request));
  if (!request.output.empty()) TRY(check_replaceable(request.output, request.force));

  std::optional<PackedImage> base;
  if (!request.base.empty()) base = TRY(read_base(request.base, stub.machine));
  SourceRequest from = request.source;
  from.machine = stub.machine;
  from.report = request.report;
  Source source = TRY(read_source(from));
  epoch = latest_time(epoch, source);
  const std::uint32_t time = epoch.value_or(0);
  Decided decided = TRY(decide_policy(request, source, stub.machine));
  if (base) decided.policy.base = {name_of(base->file), base->digest};
  const std::string output =
      request.output.empty() ? default_output(decided.policy, stub.machine) : request.output;
  TRY(check_replaceable(output, request.force));

  // Checked as the source brings it: nothing that build adds can mend it.
  Check check(source.tree, stub.machine, decided.policy.env);
  const Status sound = check_programs(check, decided.policy);
  if (request.check && !sound.ok()) {
    Error error = sound.error();
    if (source.kind == Source::Kind::kAppDir) {
      error.hint +=
          "; an AppDir that counts on the host's files has to bring them, or gets a root with "
          "--with-root";
    }
    return error;
  }

  TRY(add_mount_points(source.tree, time));
  const AppDirParts parts{decided.policy, decided.toml, build_json(source, decided, source.tree),
                          find_apprun(request), time};
  TRY(add_appdir_parts(source.tree, parts));
  if (parts.apprun_file.empty() && !parts.policy.own_apprun && adds_to_entry(parts.policy)) {
    source.notes.push_back(
        "no rootlet-apprun beside the stub: AppRun is a symlink, and other AppImage "
        "runtimes will not see the policy's arguments, environment and commands");
  }
  const NodePtr digest = make_file(std::string(kDigestSize, '-'), 0644, time);
  TRY(source.tree.put(kDigestPath, digest));
  if (epoch) clamp_times(source.tree, time);
  BuildSummary summary;
  if (base) summary.facts.emplace_back("base", TRY(lay_on_base(source.tree, *base)));

  SquashfsOptions options;
  options.block_size = request.block_size;
  options.level = request.level;
  options.time = time;
  options.threads = request.threads;
  options.first = start_files(source.tree, check);
  options.digest = digest;
  if (request.report) {
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      request.report({"packing", done, total});
    };
  }
  const SquashfsStats stats = TRY(write_output(output, stub, source.tree, options, request.seal));
  summary.output = output;
  summary.policy = std::move(decided.policy);
  summary.kind = kind_name(source.kind);
  summary.notes = std::move(source.notes);
  summary.stub = stub.bytes.size();
  summary.image = stats.bytes;
  summary.content = stats.content;
  summary.entries = stats.inodes;
  return summary;
}

}  // namespace rootlet::packaging
