// SPDX-License-Identifier: MIT
#include "launcher/jar_images.hpp"

#include <openssl/evp.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "launcher/image_files.hpp"
#include "runtime/payload/payload.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the jar's images";
constexpr std::string_view kTop = "META-INF/rootlet/";

// The first API of the JVM library that can run such an entry.
constexpr int kLeastApi = 1;

std::string text_of(const FileRange& range) {
  constexpr std::uint64_t kLongest = 1 << 20;
  std::string text(std::min(range.length, kLongest), '\0');
  const ssize_t got = ::pread(range.fd, text.data(), text.size(), static_cast<off_t>(range.offset));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

// "NAME/CLASSIFIER/NAME.SUFFIX", taken apart.
struct Parts {
  std::string name, classifier, suffix;
};
std::optional<Parts> parts_of(const std::string& path) {
  if (!path.starts_with(kTop)) return {};
  const std::string rest = path.substr(kTop.size());
  const std::size_t first = rest.find('/');
  if (first == std::string::npos) return {};
  const std::size_t second = rest.find('/', first + 1);
  if (second == std::string::npos) return {};
  Parts parts{rest.substr(0, first), rest.substr(first + 1, second - first - 1), ""};
  const std::string file = rest.substr(second + 1);
  if (!file.starts_with(parts.name + ".")) return {};
  parts.suffix = file.substr(parts.name.size() + 1);
  return parts;
}

void read_description(JarImage& image) {
  const auto json = nlohmann::json::parse(image.description, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("digest") && json["digest"].is_string()) image.digest = json["digest"];
  if (json.contains("base") && json["base"].is_string()) image.base = json["base"];
  if (json.contains("size") && json["size"].is_number_unsigned()) image.size = json["size"];
}

}  // namespace

std::string JarImage::stem() const {
  return std::string(kTop) + name + "/" + classifier + "/" + name;
}

Result<std::vector<JarImage>> images_of(const ZipArchive& archive) {
  std::map<std::pair<std::string, std::string>, JarImage> images;
  TRY(archive.each([&](const ZipEntry& entry) {
    const auto parts = parts_of(entry.name);
    if (!parts) return true;
    JarImage& image = images[{parts->name, parts->classifier}];
    image.name = parts->name;
    image.classifier = parts->classifier;
    const bool stored = entry.method == 0;
    if (parts->suffix == "AppImage") image.image = entry;
    if (parts->suffix != "json" && parts->suffix != "link") return true;
    const auto content = archive.content(entry);
    const std::string text = content.ok() && stored ? text_of(content.value()) : "";
    (parts->suffix == "json" ? image.description : image.link) = text;
    return true;
  }));
  std::vector<JarImage> list;
  for (auto& [key, image] : images) {
    if (!image.image && image.link.empty()) continue;
    read_description(image);
    list.push_back(std::move(image));
  }
  return list;
}

Result<Sums> sums_of(const FileRange& range, const std::string& name) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(::EVP_MD_CTX_new(),
                                                                   ::EVP_MD_CTX_free);
  if (!context || ::EVP_DigestInit_ex(context.get(), ::EVP_sha256(), nullptr) != 1) {
    return plain_error(kRead, name, "libcrypto has no SHA-256");
  }
  std::vector<unsigned char> buffer(1 << 20);
  uLong crc = 0;
  for (std::uint64_t at = 0; at < range.length;) {
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), range.length - at);
    const ssize_t got =
        ::pread(range.fd, buffer.data(), wanted, static_cast<off_t>(range.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kRead, name);
    if (got == 0) return plain_error(kRead, name, "it ends too early");
    ::EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(got));
    crc = ::crc32_z(crc, buffer.data(), static_cast<z_size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  std::array<unsigned char, 32> digest{};
  ::EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  Sums sums{"sha256:", static_cast<std::uint32_t>(crc)};
  for (const unsigned char byte : digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    sums.digest += kDigits[byte >> 4];
    sums.digest += kDigits[byte & 15];
  }
  return sums;
}

Result<ImageFacts> examine_image(int fd, const std::string& path) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  if (size < 0) return last_error(kRead, path);
  const FileRange whole{fd, 0, static_cast<std::uint64_t>(size)};
  const Payload payload = TRY(find_payload_in(whole, path));
  const ImageFiles files = TRY(read_image_files(payload, path));
  Sums sums = TRY(sums_of(whole, path));
  ImageFacts facts{whole.length, payload.offset, std::move(sums.digest), "", "", sums.crc};
  if (files.policy) {
    const Policy policy = TRY(decode_policy(*files.policy));
    if (!policy.entrypoint.empty()) facts.entry = policy.entrypoint.front();
    facts.base = policy.base.name;
  }
  return facts;
}

std::string describe(const std::string& name, const std::string& classifier,
                     const ImageFacts& facts, const std::string& stored_as) {
  nlohmann::ordered_json json;
  json["format"] = 1;
  json["name"] = name;
  json["classifier"] = classifier;
  json["image"] = stored_as;
  json["digest"] = facts.digest;
  json["size"] = facts.size;
  json["squashfs_offset"] = facts.squashfs_offset;
  json["entry"] = facts.entry;
  if (!facts.base.empty()) json["base"] = facts.base;
  json["least_api"] = kLeastApi;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet
