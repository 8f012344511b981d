// SPDX-License-Identifier: MIT
#include "launcher/update_source.hpp"

#include <fnmatch.h>
#include <sys/stat.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "launcher/fetch.hpp"
#include "launcher/file_digest.hpp"
#include "trust/program.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kFind = "find the update";
constexpr std::uint64_t kLargestControl = 256 << 20;
constexpr std::uint64_t kLargestAnswer = 64 << 20;  // a list of releases

// An image that somebody has at hand, without a control file.
Result<UpdateSource> image_here(const std::string& path) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return last_error(kFind, path);
  if (!S_ISREG(status.st_mode)) return plain_error(kFind, path, "it is not a regular file");
  UpdateSource source;
  source.from = source.target = path;
  source.header.length = static_cast<std::uint64_t>(status.st_size);
  source.header.sha1 = TRY(sha1_of(file.get(), path));
  return source;
}

Result<UpdateSource> control_at(const std::string& address) {
  const std::string control = TRY(fetch_text(address, kLargestControl));
  UpdateSource source;
  source.header = TRY(parse_zsync_header(control, address));
  source.control = os::Fd(TRY(trust::memory_file(control)));
  source.from = address;
  source.target = resolve_url(address, source.header.url);
  // Who hosts a file on a network does not get to name one of this host.
  if (is_remote(address) && !is_remote(source.target)) {
    return plain_error(kFind, address,
                       "it names a file that is not on a server: " + printable(source.header.url));
  }
  return source;
}

// The release that TAG means, of all that the API lists.
Result<nlohmann::json> find_release(const std::string& repository, const std::string& tag) {
  const char* set = std::getenv("GITHUB_API_URL");
  const std::string api = set != nullptr && set[0] != '\0' ? set : "https://api.github.com";
  const bool listed = tag == "latest-pre" || tag == "latest-all";
  const std::string address = api + "/repos/" + repository + "/releases" +
                              (listed            ? ""
                               : tag == "latest" ? "/latest"
                                                 : "/tags/" + tag);
  const std::string answer = TRY(fetch_text(address, kLargestAnswer));
  auto json = nlohmann::json::parse(answer, nullptr, false);
  const auto wrong = plain_error(kFind, address, "that is no answer of GitHub's");
  if (json.is_discarded()) return wrong;
  if (!listed)
    return json.is_object() ? Result<nlohmann::json>(json) : Result<nlohmann::json>(wrong);
  if (!json.is_array()) return wrong;
  for (const auto& release : json) {
    const bool early = release.is_object() && release.value("prerelease", false);
    if (release.is_object() && (tag == "latest-all" || early)) return release;
  }
  return plain_error(kFind, repository, "it has no such release");
}

// GitHub sorts assets by no rule: of several that fit, the last by name.
Result<std::string> find_asset(const nlohmann::json& release, const std::string& repository,
                               const std::string& glob) {
  std::string best, address;
  const auto assets = release.find("assets");
  if (assets != release.end() && assets->is_array()) {
    for (const auto& asset : *assets) {
      if (!asset.is_object()) continue;
      const auto name = asset.find("name"), url = asset.find("browser_download_url");
      if (name == asset.end() || url == asset.end() || !name->is_string() || !url->is_string()) {
        continue;
      }
      const auto text = name->get<std::string>();
      if (::fnmatch(glob.c_str(), text.c_str(), 0) != 0 || text < best) continue;
      best = text;
      address = url->get<std::string>();
    }
  }
  if (is_remote(address)) return address;
  return plain_error(kFind, repository, "its release has no file like " + glob);
}

}  // namespace

Result<UpdateSource> open_update_source(const std::string& text) {
  if (text.ends_with(".zsync")) return control_at(text);
  if (!is_remote(text)) return image_here(text.starts_with("file://") ? text.substr(7) : text);
  return control_at(text + ".zsync");
}

Result<UpdateSource> open_update_source(const packaging::UpdateInformation& information) {
  using Transport = packaging::UpdateInformation::Transport;
  const auto& fields = information.fields;
  constexpr std::string_view kHint = "rootlet update --from PATH|URL names the new version";
  if (information.transport == Transport::none) {
    return plain_error(kFind, "the image", "it has no update information", kHint);
  }
  if (!information.problem.empty()) {
    return plain_error(kFind, "the update information", information.problem, kHint);
  }
  if (information.transport == Transport::zsync) return control_at(fields[0]);
  if (information.transport != Transport::github) {
    return plain_error(kFind, "the update information", "rootlet does not read this form", kHint);
  }
  const std::string repository = fields[0] + "/" + fields[1];
  const nlohmann::json release = TRY(find_release(repository, fields[2]));
  const std::string address = TRY(find_asset(release, repository, fields[3]));
  return control_at(address);
}

}  // namespace rootlet
