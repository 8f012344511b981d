// SPDX-License-Identifier: MIT
#include "runtime/run/named_data.hpp"

#include <sys/file.h>

#include <algorithm>

#include "runtime/run/data_search.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kFind = "find the data";

bool attached_by_user(const Options& options, const std::string& path) {
  return std::any_of(options.attachments.begin(), options.attachments.end(),
                     [&](const Attachment& other) { return other.target == path; });
}

Error missing(const Policy::Data& data, const DataSearch& search) {
  Error error =
      plain_error(kFind, data.name + " (" + data.digest + ")", "no place has it: " + search.text());
  error.hint = "put it into one of them, or name its directory: " + option_text("data-path") +
               "=DIR; `rootlet data add FILE` puts it into your own store";
  return error;
}

// Between the search and here the file may have become another one.
Result<RunImage> open_found(const Policy::Data& data, DataSearch search) {
  // Held as long as the run and its server are: `rootlet data gc` leaves it
  // alone. A file system without locks has none.
  (void)::flock(search.fd.get(), LOCK_SH | LOCK_NB);
  RunImage image;
  image.source = std::make_unique<Source>(TRY(open_source_of(std::move(search.fd), search.file)));
  const Seal* seal = image.source->image ? image.source->image->seal() : nullptr;
  if (seal == nullptr || seal_text(seal->digest) != data.digest) {
    return plain_error(kFind, search.file, "it changed while it was looked at", "run it again");
  }
  image.name = search.file;
  image.target = data.path;
  image.data = data.name;
  return image;
}

}  // namespace

Result<std::vector<RunImage>> open_named_data(const Options& options, const Policy& policy,
                                              const Caller& caller, const std::string& image_file,
                                              const Log& log) {
  std::vector<RunImage> images;
  if (policy.data.empty()) return images;
  const std::vector<std::string> places = data_places(options.data_paths, caller, image_file);
  for (const Policy::Data& data : policy.data) {
    if (attached_by_user(options, data.path)) {
      log.say([&] { return "data " + data.name + ": " + data.path + " shows what you attach"; });
      continue;
    }
    DataSearch search = TRY(find_data(data, places));
    if (search.fd.valid()) {
      log.say([&] { return "data " + data.name + ": " + search.file; });
      images.push_back(TRY(open_found(data, std::move(search))));
    } else if (data.required) {
      return missing(data, search);
    } else {
      log.say([&] { return "data " + data.name + " is left out: " + search.text(); });
    }
  }
  return images;
}

}  // namespace rootlet
