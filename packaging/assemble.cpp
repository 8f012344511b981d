// SPDX-License-Identifier: MIT
#include "packaging/assemble.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>

#include "packaging/appdir.hpp"
#include "packaging/bill_of_materials.hpp"
#include "packaging/check.hpp"
#include "packaging/decide.hpp"
#include "packaging/difference.hpp"
#include "packaging/image_tree.hpp"
#include "packaging/layout.hpp"
#include "packaging/mount_points.hpp"
#include "packaging/output_file.hpp"
#include "packaging/path_list.hpp"
#include "packaging/source.hpp"
#include "packaging/squashfs.hpp"
#include "packaging/stub.hpp"
#include "packaging/survey.hpp"
#include "packaging/tree_digest.hpp"
#include "packaging/write_output.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kBuild = "build";
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

// What `build` made the image of, and how: with the same source and rootlet,
// enough to make it again. Nothing of it tells where, when or by whom.
std::string build_json(const BuildRequest& request, const Source& source, const Decided& decided,
                       std::optional<std::uint32_t> epoch) {
  std::uint64_t entries = 1;
  source.tree.each([&](const std::string&, const NodePtr&) { ++entries; });
  nlohmann::json json;
  json["rootlet"] = ROOTLET_VERSION;
  json["source"] = kind_name(source.kind);
  json["entry"] = decided.policy.entrypoint;
  json["name"] = decided.policy.name;
  json["entries"] = entries;
  for (const auto& [key, value] : source.origin) json["origin"][key] = value;
  auto& recipe = json["recipe"];
  if (!request.recipe.name.empty()) {
    recipe["file"] = {{"name", request.recipe.name}, {"text", request.recipe.text}};
  }
  recipe["comp-level"] = request.level;
  recipe["block-size"] = request.block_size;
  if (epoch) recipe["source-date-epoch"] = *epoch;
  for (const std::string& word : request.trim.kinds) recipe["trim"].push_back(name_of(word));
  for (const std::string& word : request.trim.keep_locales) recipe["keep-locale"].push_back(word);
  if (!request.order.empty()) recipe["order"] = name_of(request.order);
  if (!decided.policy.base.name.empty()) {
    recipe["base"] = {{"name", decided.policy.base.name}, {"digest", decided.policy.base.digest}};
  }
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

// What the image lacks is looked for while it is being packed, which does not
// change the tree.
std::future<Findings> survey_beside(const BuildRequest& request, const Tree& tree,
                                    std::uint16_t machine, const Policy& policy,
                                    const Check& check) {
  return std::async(std::launch::async, [&, machine, wanted = request.check] {
    return wanted ? survey(tree, machine, policy, check) : Findings{};
  });
}

// Checked as the source brings it: nothing that build adds can mend it.
Status check_source(const BuildRequest& request, const Source& source, const Policy& policy,
                    Check& check) {
  Status sound = check_programs(check, policy);
  if (!request.check || sound.ok()) return Done{};
  Error error = std::move(sound).error();
  if (source.kind == Source::Kind::kAppDir) {
    error.hint +=
        "; an AppDir that counts on the host's files has to bring them, or gets a root with "
        "--with-root";
  }
  return error;
}

// What makes an AppImage of the tree, and tells what is in it.
Status add_parts(const BuildRequest& request, Source& source, const Decided& decided,
                 std::optional<std::uint32_t> epoch) {
  const std::uint32_t time = epoch.value_or(0);
  TRY(add_mount_points(source.tree, time));
  const std::string bill = bill_of_materials(find_components(source.tree), decided.policy);
  const AppDirParts parts{decided.policy, decided.toml, build_json(request, source, decided, epoch),
                          find_apprun(request), time};
  TRY(add_appdir_parts(source.tree, parts));
  TRY(source.tree.put(kBillPath, make_file(bill, 0644, time)));
  TRY(source.tree.put(kDigestPath, make_file(std::string(kDigestSize, '-'), 0644, time)));
  if (parts.apprun_file.empty() && !parts.policy.own_apprun && adds_to_entry(parts.policy)) {
    source.notes.push_back(
        "no rootlet-apprun beside the stub: AppRun is a symlink, and other AppImage "
        "runtimes will not see the policy's arguments, environment and commands");
  }
  if (epoch) clamp_times(source.tree, time);
  return Done{};
}

Result<SquashfsOptions> image_options(const BuildRequest& request, const Tree& tree,
                                      const Check& check, std::uint32_t time,
                                      BuildSummary& summary) {
  std::vector<std::string> order;
  if (!request.order.empty()) order = TRY(read_path_list(request.order));
  Layout layout = lay_out(tree, check, order);
  if (!order.empty()) {
    std::string text =
        std::to_string(layout.next.size()) + " files as " + name_of(request.order) + " has them";
    if (!layout.unknown.empty()) {
      text += "; " + std::to_string(layout.unknown.size()) + " of its paths are no files here";
    }
    summary.facts.emplace_back("order", text);
  }
  SquashfsOptions options;
  options.block_size = request.block_size;
  options.level = request.level;
  options.time = time;
  options.threads = request.threads;
  options.first = std::move(layout.first);
  options.next = std::move(layout.next);
  options.digest = tree.find(kDigestPath);
  if (request.report) {
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      request.report({"packing", done, total});
    };
  }
  return options;
}

Result<Source> read_request(const BuildRequest& request, std::uint16_t machine) {
  SourceRequest from = request.source;
  from.machine = machine;
  from.report = request.report;
  return read_source(from);
}

}  // namespace

Result<BuildSummary> build(const BuildRequest& request) {
  TRY(check_block_size(request.block_size));
  TRY(check_trim(request.trim));
  auto epoch = TRY(source_date_epoch());
  const Stub stub = TRY(prepare_stub(request));
  if (!request.output.empty()) TRY(check_replaceable(request.output, request.force));
  std::optional<PackedImage> base;
  if (!request.base.empty()) base = TRY(read_base(request.base, stub.machine));

  Source source = TRY(read_request(request, stub.machine));
  epoch = latest_time(epoch, source);
  TRY(add_parts_of(request.recipe, source.tree, epoch.value_or(0)));
  Decided decided = TRY(decide_policy(request, source, stub.machine));
  if (base) decided.policy.base = {name_of(base->file), base->digest};
  BuildSummary summary;
  summary.output =
      request.output.empty() ? default_output(decided.policy, stub.machine) : request.output;
  TRY(check_replaceable(summary.output, request.force));

  if (request.trim.any()) {
    summary.facts.emplace_back("trimmed", trimmed_text(TRY(trim(source.tree, request.trim))));
  }
  Check check(source.tree, stub.machine, decided.policy.env);
  TRY(check_source(request, source, decided.policy, check));
  TRY(add_parts(request, source, decided, epoch));
  summary.policy = decided.policy;
  summary.kind = kind_name(source.kind);
  auto findings = survey_beside(request, source.tree, stub.machine, summary.policy, check);
  if (base) {
    findings.wait();
    summary.facts.emplace_back("base", TRY(lay_on_base(source.tree, *base)));
  }
  auto options = TRY(image_options(request, source.tree, check, epoch.value_or(0), summary));
  TRY(write_output(request, stub, source.tree, std::move(options), summary));
  summary.findings = findings.get();
  summary.notes = std::move(source.notes);
  return summary;
}

}  // namespace rootlet::packaging
