// SPDX-License-Identifier: MIT
#include "launcher/image_report.hpp"

#include <unistd.h>

#include "launcher/file_digest.hpp"
#include "packaging/stub.hpp"
#include "runtime/payload/seal.hpp"
#include "trust/signature_sections.hpp"

namespace rootlet {
namespace {

// Sections of interest lie in the program in front, which is small.
constexpr std::uint64_t kLargestStub = 64 << 20;

// Whether one is good is what `rootlet verify` tells.
void find_signatures(int fd, ImageReport& report) {
  const FileRange image{fd, 0, report.size};
  const auto places = trust::find_signature_sections(image, report.path);
  if (!places.ok()) return;
  const auto has = [&](const trust::ZeroRange& where, std::string_view begin) {
    const auto text = trust::text_in(image, where, report.path);
    return text.ok() && text.value().starts_with(begin);
  };
  if (places.value().can_hold_minisign() && has(places.value().slot(), "untrusted comment:")) {
    report.signatures.emplace_back("minisign");
  }
  if (places.value().can_hold_gpg() && has(places.value().gpg, "-----BEGIN PGP")) {
    report.signatures.emplace_back("GPG");
  }
}

Status take_resources(const ImageFile& file, ImageReport& report) {
  report.resources = TRY(read_resources(file, Depth::sizes));
  const auto& texts = report.resources.texts;
  if (const auto found = texts.find("policy"); found != texts.end()) {
    report.policy = TRY(decode_policy(found->second.bytes));
  }
  const auto take = [&texts](const char* what, std::string& into) {
    if (const auto found = texts.find(what); found != texts.end()) into = found->second.bytes;
  };
  take("policy.toml", report.policy_text);
  take("content", report.content);
  take("build", report.build);
  take("bill", report.bill);
  if (const auto found = texts.find("desktop"); found != texts.end()) {
    auto entry = DesktopEntry::parse(found->second.bytes);
    if (entry.ok()) {
      report.desktop = std::move(entry).value();
    } else {
      report.resources.notes.push_back(found->second.path + ": " + entry.error().reason);
    }
  }
  return Done{};
}

}  // namespace

std::string read_update_text(int fd, const std::string& name) {
  const auto end = elf_end(fd, name);
  if (!end.ok() || end.value() > kLargestStub) return {};
  std::string program(end.value(), '\0');
  if (::pread(fd, program.data(), program.size(), 0) != static_cast<ssize_t>(program.size())) {
    return {};
  }
  return packaging::section_text(program, ".upd_info");
}

std::vector<std::string> mime_types(const ImageResource& package) {
  std::vector<std::string> types;
  bool inside = false;
  for (const MimeElement& element : package.elements) {
    if (element.what == "open") inside = element.name == "mime-type";
    if (inside && element.what == "attribute" && element.name == "type") {
      types.push_back(element.value);
    }
  }
  return types;
}

Result<ImageReport> read_report(const std::string& path) {
  ImageReport report;
  const ImageFile file = TRY(open_image_file(path));
  const int fd = file.fd.get();
  report.path = path;
  report.format = format_name(file.format);
  report.size = file.size;
  report.offset = file.offset;
  if (!file.is_iso()) {
    report.superblock = TRY(read_superblock(fd, file.offset, path));
    if (file.whole && file.offset != 0) {
      report.update_information = read_update_text(fd, path);
      find_signatures(fd, report);
    }
    const Payload payload{fd, file.offset, report.superblock->bytes_used};
    const auto seal = TRY(read_seal(payload, path));
    if (seal) report.seal = seal_text(seal->digest);
    if (seal && !seal->signature.empty()) report.signatures.emplace_back("minisign in the seal");
  }
  TRY(take_resources(file, report));
  report.sha256 = TRY(sha256_of(fd, path));
  return report;
}

}  // namespace rootlet
