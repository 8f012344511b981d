// SPDX-License-Identifier: MIT
#include "launcher/records/same_image.hpp"

#include <unistd.h>

#include "runtime/run/data_search.hpp"
#include "runtime/run/source.hpp"

extern char** environ;

namespace rootlet::records {
namespace {

constexpr std::string_view kFind = "find the image";

// "": it has none, or cannot be opened.
std::string digest_in(const std::string& text, const Json& image) {
  auto source = open_source(text);
  if (!source.ok() || !source.value().image) return {};
  if (!text_at(image, "seal").empty()) {
    const Seal* seal = source.value().image->seal();
    return seal == nullptr ? "" : seal_text(seal->digest);
  }
  const auto content = source.value().image->read_file(std::string(kDigestPath), 256);
  const std::string digest = content.ok() ? content.value().value_or("") : "";
  return digest.substr(0, digest.find('\n'));
}

}  // namespace

Result<std::string> find_same_image(const Json& record, const std::string& given) {
  const Json& image = root_image(record);
  const std::string file = text_at(image, "file"), digest = digest_of(image);
  const std::string there =
      image.contains("offset") ? file + "@" + std::to_string(number_at(image, "offset")) : file;
  if (digest.empty()) return given.empty() ? there : given;
  for (const std::string& place : {given, given.empty() ? there : ""}) {
    if (place.empty()) continue;
    const std::string found = digest_in(place, image);
    if (found == digest) return place;
    if (!given.empty()) {
      return plain_error(kFind, given, found.empty() ? "it has no digest" : "it is " + found,
                         "wanted: " + digest);
    }
  }
  Policy::Data wanted;
  wanted.name = file.substr(file.rfind('/') + 1);
  wanted.name = wanted.name.substr(0, wanted.name.rfind(".AppImage"));
  wanted.digest = digest;
  const auto places = data_places({}, read_caller("rootlet", environ), file);
  const DataSearch search = TRY(find_data(wanted, places));
  if (search.fd.valid()) return search.file;
  return plain_error(kFind, file, "it is not there, or another one by now: " + search.text(),
                     "--image names " + digest);
}

}  // namespace rootlet::records
