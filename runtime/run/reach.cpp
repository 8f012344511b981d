// SPDX-License-Identifier: MIT
#include "runtime/run/reach.hpp"

#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "runtime/base/option_text.hpp"
#include "runtime/image/extract.hpp"
#include "runtime/image/kernel_mount.hpp"
#include "runtime/os/process.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kAttach = "attach";
// Smaller ones are unpacked into memory at every start, within a tenth of a second.
constexpr std::uint64_t kWorthKeeping = 32u << 20;

// Where FILE ends and SUBDIR begins: a path may hold "//" itself, so it is the
// first "//" that has a file in front of it.
std::size_t end_of_file_name(const std::string& text) {
  for (std::size_t at = text.find("//"); at != std::string::npos; at = text.find("//", at + 1)) {
    struct stat status {};
    const std::string file = location_file(text.substr(0, at));
    if (::stat(file.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) return at;
  }
  return text.size();
}

Result<RunImage> open_one(const Attachment& attachment) {
  const std::size_t end = end_of_file_name(attachment.image);
  auto source = open_source(attachment.image.substr(0, end));
  if (!source.ok()) {
    Error error = std::move(source).error();
    error.action = kAttach;
    return error;
  }
  if (!source.value().image) {
    return plain_error(kAttach, attachment.image, "it is a directory",
                       option_text("bind") + "=SRC:DST shows directories");
  }
  RunImage image{std::make_unique<Source>(std::move(source).value()),
                 attachment.image.substr(0, end),
                 "",
                 attachment.target,
                 {},
                 Way::served,
                 {},
                 {}};
  if (end < attachment.image.size()) image.part = attachment.image.substr(end + 2);
  return image;
}

// `in_memory`: what other images of the run take of it.
Result<Way> choose_way(RunImage& image, const Options& options, const Log& log,
                       std::uint64_t& in_memory, const Caller& caller,
                       std::optional<Keeping>& keeping) {
  if (options.reach == Reach::kernel) {
    if (::geteuid() == 0) return Way::kernel;
    return plain_error("reach the image", option_text("mount") + "=kernel",
                       "only root can have the kernel mount it", "leave it out");
  }
  const bool asked = options.reach == Reach::extract;
  if (!asked && image::have_fuse()) {
    log.say(
        [&] { return "the image " + image.name + (image.name.empty() ? "" : " ") + "is served"; });
    return Way::served;
  }
  if (options.reach == Reach::private_server || options.reach == Reach::share) {
    return plain_error("reach the image", "/dev/fuse", "it is not there, or not for you",
                       "leave out " + option_text("mount") + ", and the image is unpacked");
  }
  if (!keeping) keeping = Keeping::of_run(options, caller);
  const std::uint64_t size = TRY(image::unpacked_size(*image.source->image));
  struct sysinfo memory {};
  ::sysinfo(&memory);
  const std::uint64_t room = std::uint64_t{memory.freeram} * memory.mem_unit / 4;
  const bool fits = in_memory <= room && size <= room - in_memory;
  const Way way = fits && !(keeping && size > kWorthKeeping) ? Way::memory : Way::directory;
  if (way == Way::memory) in_memory += size;
  log.say([&] {
    return std::string(asked ? "" : "/dev/fuse cannot be used: ") + "the image " + image.name +
           (image.name.empty() ? "(" : " (") + std::to_string(size >> 20) +
           " MiB) is unpacked into " + (way == Way::memory ? "memory" : "a private directory");
  });
  return way;
}

Result<image::Server> start_one(Source& source, image::Owner owner, const Sharing& sharing,
                                const os::OneProcessor& beside, bool counted) {
  auto shared = TRY(sharing.server_of(source, beside));
  if (shared) return std::move(*shared);
  return image::start_server(*source.image, owner, beside, counted);
}

}  // namespace

image::Reached RunImage::reached(const image::Server* server) {
  image::Reached reached;
  reached.name = name.empty() ? source->file : name;
  if (server != nullptr && server->shared()) {
    reached.shared = server->mount.get();
  } else if (server != nullptr) {
    reached.server = server->channel.get();
  }
  if (way == Way::memory) reached.unpack = &*source->image;
  if (directory) reached.directory = directory->path() + "/root";
  reached.kernel = kernel.get();
  return reached;
}

Result<std::vector<RunImage>> open_attached(const Options& options) {
  std::vector<RunImage> images;
  for (const Attachment& attachment : options.attachments) {
    images.push_back(TRY(open_one(attachment)));
    if (options.judge == nullptr || attachment.is_judged) continue;
    TRY(options.judge(*images.back().source, images.back().name));
  }
  return images;
}

Result<RunImage> find_base(const Policy::Base& base, Source& above, const Options& options) {
  std::vector<std::string> places = options.data_paths;
  places.push_back(above.file.substr(0, above.file.rfind('/')));
  for (std::string& place : places) place += "/" + base.name;
  places.push_back(above.file + "!/" + base.name.substr(0, base.name.find(".AppImage")));

  Error error = plain_error(
      "find the base", base.name, "it is not there",
      "put it beside the image, or name its directory with " + option_text("data-path"));
  for (const std::string& place : places) {
    auto found = open_source(place);
    if (!above.image || !found.ok() || !found.value().image) continue;
    RunImage image{
        std::make_unique<Source>(std::move(found).value()), place, {}, {}, {}, {}, {}, {}};
    if (image.source->reader()(std::string(kDigestPath)) == base.digest) {
      if (options.judge != nullptr) TRY(options.judge(*image.source, place));
      above.below = image.source.get();
      return image;
    }
    error.reason = place + " is another one";
  }
  return error;
}

Status choose_ways(std::vector<RunImage>& images, const Options& options, const Caller& caller,
                   const Log& log, std::optional<Keeping>& keeping) {
  std::uint64_t in_memory = 0;
  for (RunImage& image : images)
    image.way = TRY(choose_way(image, options, log, in_memory, caller, keeping));
  return Done{};
}

Status prepare(std::vector<RunImage>& images, const Log& log, const Keeping* keeping) {
  for (RunImage& image : images) {
    if (image.way == Way::directory) {
      image.directory = TRY(extract_to_directory(*image.source, log, keeping));
    } else if (image.way == Way::kernel) {
      image.kernel = TRY(image::mount_by_kernel(image.source->payload, image.source->file));
    }
  }
  return Done{};
}

void add_images(Subject& subject, const std::vector<RunImage>& images) {
  constexpr const char* kReached[] = {"served", "unpacked", "unpacked", "mounted by the kernel"};
  for (const RunImage& image : images) {
    if (image.directory) subject.guarded.push_back(image.directory->base());
    if (image.target.empty() && !image.name.empty()) {
      subject.guarded.push_back(image.source->file);
      continue;
    }
    if (image.target.empty()) {
      subject.root_reached = kReached[static_cast<int>(image.way)];
      continue;
    }
    subject.guarded.push_back(image.source->file);
    sandbox::Place place;
    place.kind = sandbox::Place::Kind::image;
    place.target = image.target;
    place.source = image.name;
    place.part = image.part;
    place.image = static_cast<std::size_t>(&image - images.data());
    subject.attached.push_back(std::move(place));
  }
}

Result<std::vector<image::Server>> start_servers(std::vector<RunImage>& images, image::Owner owner,
                                                 const Sharing& sharing,
                                                 const os::OneProcessor& beside, bool counted) {
  std::vector<image::Server> servers;
  for (RunImage& image : images) {
    if (image.way != Way::served) continue;
    auto server = start_one(*image.source, owner, sharing, beside, counted);
    if (!server.ok()) {
      dismiss(servers);
      return std::move(server).error();
    }
    servers.push_back(std::move(server).value());
    servers.back().image = image.name.empty() ? image.source->file : image.name;
  }
  return servers;
}

std::vector<image::Reached> reached_images(std::vector<RunImage>& images,
                                           const std::vector<image::Server>& servers) {
  std::vector<image::Reached> reached;
  auto server = servers.begin();
  for (RunImage& image : images) {
    reached.push_back(image.reached(image.way == Way::served ? &*server++ : nullptr));
  }
  return reached;
}

void dismiss(std::vector<image::Server>& servers) {
  // Each ends when nobody can hand it anything; all first, for a later one may
  // hold an earlier one's end for a moment.
  for (image::Server& server : servers) server.channel.reset();
  for (const image::Server& server : servers) {
    if (!server.shared()) os::wait_for(server.reader);
  }
}

}  // namespace rootlet
