// SPDX-License-Identifier: MIT
#include "packaging/source_container.hpp"

#include <elf.h>

#include "packaging/container_image.hpp"
#include "packaging/elf_file.hpp"
#include "packaging/layers.hpp"

namespace rootlet::packaging {
namespace {

std::string platform_of(std::uint16_t machine) {
  return machine == EM_AARCH64 ? "linux/arm64" : "linux/amd64";
}

// The digests of the layers as they are unpacked, lowest first.
Result<std::vector<std::string>> unpacked_digests(const Blobs& blobs, const ContainerImage& image) {
  const Json rootfs = json_object(image.configuration, "rootfs");
  auto digests = TRY(json_list(rootfs, "diff_ids", "the image's configuration"));
  if (digests.size() == image.layers.size()) return digests;
  return blobs.damaged("its configuration", "it names " + std::to_string(digests.size()) +
                                                " layers, the manifest " +
                                                std::to_string(image.layers.size()));
}

class ContainerReading {
 public:
  ContainerReading(const Blobs& blobs, const ContainerImage& image, const SourceRequest& request)
      : blobs_(blobs), image_(image), request_(request), limit_(unpack_limit(request)) {}

  Result<Tree> run() {
    const auto digests = TRY(unpacked_digests(blobs_, image_));
    spool_ = TRY(Spool::make(limit_));
    for (const NodePtr& layer : image_.layers) total_ += layer->size;
    for (std::size_t i = 0; i < image_.layers.size(); ++i) TRY(apply(i, digests[i]));
    return std::move(layers_.tree());
  }

 private:
  Status apply(std::size_t index, const std::string& wanted) {
    const Node& layer = *image_.layers[index];
    const std::string name = blobs_.name() + ": layer " + std::to_string(index + 1) + " of " +
                             std::to_string(image_.layers.size());
    if (request_.report) {
      request_.report({"reading layers", done_, total_, true, std::to_string(index + 1)});
    }
    const OpenContent content = TRY(layer.content.open());
    const auto stream = TRY(Unpacked::open(content, layer.size, name, limit_));
    const auto reader = TRY(TarReader::open(*stream, spool_, name));
    TRY(layers_.apply(*reader));
    // What follows the end of the archive counts for the digest.
    while (!TRY(stream->next()).empty()) continue;
    const std::string digest = "sha256:" + stream->digest();
    if (digest != wanted) {
      return blobs_.damaged(image_.names[index], "unpacked it has the digest " + digest + ", not " +
                                                     wanted + " as the image's configuration says");
    }
    done_ += layer.size;
    return Done{};
  }

  const Blobs& blobs_;
  const ContainerImage& image_;
  const SourceRequest& request_;
  UnpackLimit limit_;
  std::shared_ptr<Spool> spool_;
  Layers layers_;
  std::uint64_t done_ = 0, total_ = 0;
};

Status check_platform(const Blobs& blobs, const ContainerImage& image, std::uint16_t machine) {
  const std::string os = TRY(json_text(image.configuration, "os", "the image's configuration"));
  const std::string architecture =
      TRY(json_text(image.configuration, "architecture", "the image's configuration"));
  const std::string platform = os + "/" + architecture;
  if (architecture.empty() || platform == platform_of(machine)) return Done{};
  Error error = blobs.damaged(
      platform, "the image is for this platform, the stub for " + platform_of(machine));
  error.hint = "choose another image with --platform, or name a stub for this one with --stub";
  return error;
}

}  // namespace

Result<Source> read_container(Source::Kind kind, const std::string& path, const Tree& files,
                              const std::string& tag, const SourceRequest& request) {
  const Blobs blobs(files, path);
  const Choice choice{request.platform.empty() ? platform_of(request.machine) : request.platform,
                      tag};
  const bool oci = kind == Source::Kind::kOci;
  const ContainerImage image = TRY(oci ? choose_oci(blobs, choice) : choose_docker(blobs, choice));
  if (request.machine != 0) TRY(check_platform(blobs, image, request.machine));
  Source source;
  source.kind = kind;
  source.path = path;
  source.policy = TRY(policy_of(image, source.notes));
  source.tree = TRY(ContainerReading(blobs, image, request).run());
  // As `docker run` does; a directory that leads nowhere is left to the run.
  if (!source.policy.workdir.empty()) {
    (void)source.tree.make_directories(source.policy.workdir, 0);
  }
  source.origin = {{"digest", image.digest}};
  if (!image.reference.empty()) source.origin.emplace_back("reference", image.reference);
  return source;
}

}  // namespace rootlet::packaging
