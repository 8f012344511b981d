// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/log.hpp"
#include "runtime/image/mount.hpp"
#include "runtime/image/server.hpp"
#include "runtime/run/extracted.hpp"
#include "runtime/run/make_plan.hpp"
#include "runtime/run/options.hpp"
#include "runtime/run/share.hpp"
#include "runtime/run/source.hpp"

// How the launcher makes the images of a run reachable for init: the one that
// is the root, and those that are attached.
namespace rootlet {

// Without /dev/fuse, or when asked to, an image is unpacked: into memory that
// dies with the run while it is small, else into a private directory.
enum class Way {
  served,
  memory,
  directory,
  kernel  // by its own squashfs: on request of a real root alone
};

// An image of a run, and what is held for it until the run is over.
struct RunImage {
  std::unique_ptr<Source> source;
  std::string name;    // for messages; empty: the image of the root
  std::string part;    // attached: the directory of it to show
  std::string target;  // attached: where
  std::string data;    // attached by its name in a policy: that name
  Way way = Way::served;
  std::optional<PrivateDirectory> directory;
  os::Fd kernel;  // the kernel's mount; init's once it is started

  image::Reached reached(const image::Server* server);
};

// The images that attach=IMAGE[@OFFSET][//SUBDIR]:DST names, opened.
Result<std::vector<RunImage>> open_attached(const Options& options);

// The image that `above` was made as the difference to, which from here on
// reads what it lacks there: looked for in the directories of data-path, then
// beside the file of `above`, then in that file, if it is a jar. It counts only
// if its digest is the one that the policy names. Errors: found nowhere; only
// others of that name; `above` is a directory.
Result<RunImage> find_base(const Policy::Base& base, Source& above, const Options& options);

// Chooses the way of each. Looks at the host and changes nothing. Whether and
// how what is unpacked is kept is found out when there is such an image.
Status choose_ways(std::vector<RunImage>& images, const Options& options, const Caller& caller,
                   const Log& log, std::optional<Keeping>& keeping);

// Unpacks those whose way is a directory, mounts those that the kernel reads.
Status prepare(std::vector<RunImage>& images, const Log& log, const Keeping* keeping);

// Where they are shown, and what of them the tool must not change.
void add_images(Subject& subject, const std::vector<RunImage>& images);

// The servers of those that are served, in their order: shared ones are joined
// or started where that may be (`sharing`), others are started, and count what they
// read where a run looks at it (`counted`).
Result<std::vector<image::Server>> start_servers(std::vector<RunImage>& images, image::Owner owner,
                                                 const Sharing& sharing,
                                                 const os::OneProcessor& beside, bool counted);

// Init as it gets them. `images` and `servers` must outlive it.
std::vector<image::Reached> reached_images(std::vector<RunImage>& images,
                                           const std::vector<image::Server>& servers);

// Ends private servers that got nothing to serve.
void dismiss(std::vector<image::Server>& servers);

}  // namespace rootlet
