// SPDX-License-Identifier: MIT
#include "packaging/data_image.hpp"

#include <sys/stat.h>

#include "packaging/output_file.hpp"
#include "packaging/seal_image.hpp"
#include "packaging/source.hpp"
#include "packaging/squashfs.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kBuild = "build";

// What says something about a tool means nothing for data.
Status check_request(const BuildRequest& request) {
  const bool tool = !request.entry.empty() || !request.policy_file.empty() ||
                    !request.version.empty() || !request.update_information.empty();
  if (tool) {
    return plain_error(kBuild, "--data", "an image of data has no entry, policy or version",
                       "leave them out, or leave out --data");
  }
  if (request.output.empty()) {
    return plain_error(kBuild, "--data", "where to?", "add -o NAME.sqfs");
  }
  return Done{};
}

}  // namespace

Result<BuildSummary> build_data(const BuildRequest& request) {
  TRY(check_request(request));
  TRY(check_replaceable(request.output, request.force));
  SourceRequest from = request.source;
  from.report = request.report;
  Source source = TRY(read_source(from));
  OutputFile output = TRY(OutputFile::create(request.output));
  SquashfsOptions options;
  options.block_size = request.block_size;
  options.level = request.level;
  options.threads = request.threads;
  if (request.report) {
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      request.report({"packing", done, total});
    };
  }
  auto stats = write_squashfs(source.tree, output.fd(), options);
  if (!stats.ok()) {
    Error error = stats.error();
    if (error.subject.empty()) error.subject = request.output;
    return error;
  }
  const Superblock image = TRY(read_superblock(output.fd(), 0, request.output));
  const Payload payload{output.fd(), 0, image.bytes_used};
  const Seal seal = TRY(seal_image(payload, request.output, request.threads));
  if (request.finish) TRY(request.finish(output.fd(), request.output));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  TRY(output.publish(0644 & ~mask));
  BuildSummary summary;
  summary.output = request.output;
  summary.digest = seal_text(seal.digest);
  summary.kind = kind_name(source.kind);
  summary.notes = source.notes;
  summary.image = stats.value().bytes;
  summary.content = stats.value().content;
  summary.entries = stats.value().inodes;
  return summary;
}

}  // namespace rootlet::packaging
