// SPDX-License-Identifier: MIT
#include "launcher/jar_verify.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "launcher/jar_images.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/payload/payload.hpp"

namespace rootlet {
namespace {

constexpr std::uint64_t kAlignment = 4096;

class Look {
 public:
  Look(const ZipArchive& archive, bool deep) : archive_(archive), deep_(deep) {}

  Status index() {
    return archive_.each([&](const ZipEntry& entry) {
      entries_[entry.name] = entry;
      return true;
    });
  }

  Result<JarFinding> at(const JarImage& image) {
    JarFinding finding{image.name, image.classifier, image.stem() + ".AppImage", image.digest};
    finding.shared = !image.image;
    finding.base = image.base;
    if (finding.shared) finding.entry = image.link;
    const auto found = entries_.find(finding.entry);
    if (found == entries_.end()) {
      finding.trouble = "the entry that holds it is gone; add it again";
      return finding;
    }
    const ZipEntry& entry = found->second;
    finding.size = entry.size;
    finding.stored = entry.method == 0;
    if (!finding.stored) {
      finding.trouble =
          "it is compressed: a later step of packaging (shade, assembly, jar cf) packed the jar "
          "again; add the images as the last step";
      return finding;
    }
    const auto content = archive_.content(entry);
    if (!content.ok()) {
      finding.trouble = content.error().reason;
      return finding;
    }
    TRY(check(content.value(), image, finding));
    return finding;
  }

 private:
  Status check(const FileRange& content, const JarImage& image, JarFinding& finding) {
    finding.offset = content.offset;
    finding.aligned = content.offset % kAlignment == 0;
    if (!finding.aligned) {
      finding.remark =
          "moved by a later step (jar uf, jarsigner, zip); it runs from there all the same, only "
          "reflinks and loop devices want it aligned";
    }
    const auto payload = find_payload_in(content, archive_.name() + "!/" + finding.entry);
    if (!payload.ok()) {
      finding.trouble = payload.error().reason;
    } else if (image.size != 0 && image.size != content.length) {
      finding.trouble = "its size is not the one of its description";
    } else if (deep_ && !image.digest.empty()) {
      const Sums sums = TRY(sums_of(content, archive_.name()));
      if (sums.digest != image.digest) finding.trouble = "its bytes are not those that were added";
    }
    if (image.description.empty()) finding.remark = "it has no description beside it";
    return Done{};
  }

  const ZipArchive& archive_;
  bool deep_;
  std::map<std::string, ZipEntry> entries_;
};

}  // namespace

Result<JarFindings> look_into_jar(const std::string& jar, bool deep) {
  const os::Fd fd = TRY(os::open_at(AT_FDCWD, jar, O_RDONLY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return last_error("read the jar", jar);
  const ZipArchive archive =
      TRY(ZipArchive::open({fd.get(), 0, static_cast<std::uint64_t>(status.st_size)}, jar));
  Look look(archive, deep);
  TRY(look.index());
  JarFindings findings;
  const std::vector<JarImage> images = TRY(images_of(archive));
  for (const JarImage& image : images) findings.images.push_back(TRY(look.at(image)));
  if (deep) findings.shape = TRY(judge_shape(archive, images));
  return findings;
}

std::string findings_as_text(const std::vector<JarFinding>& findings, bool deep) {
  std::string text;
  std::uint64_t bytes = 0;
  for (const JarFinding& finding : findings) {
    text += finding.name + "  " + finding.classifier + "  " + std::to_string(finding.size) +
            " bytes at " + std::to_string(finding.offset) +
            (finding.shared ? ", shared: " + finding.entry : "") +
            (finding.base.empty() ? "" : ", on " + finding.base) + "\n";
    if (!finding.trouble.empty()) text += "  cannot run: " + finding.trouble + "\n";
    if (!finding.remark.empty()) text += "  " + finding.remark + "\n";
    if (deep && finding.trouble.empty()) text += "  ok " + finding.digest + "\n";
    if (!finding.shared) bytes += finding.size;
  }
  if (findings.empty()) return "no images (rootlet jar add JAR IMAGE adds one)\n";
  std::map<std::string, std::size_t> bases;
  for (const JarFinding& finding : findings) {
    if (!finding.base.empty()) ++bases[finding.base];
  }
  for (const auto& [base, count] : bases) {
    const auto is_base = [&](const JarFinding& one) {
      return one.name == base.substr(0, base.find(".AppImage"));
    };
    const auto found = std::find_if(findings.begin(), findings.end(), is_base);
    text += base + " is below " + std::to_string(count) + " of them: " +
            (found == findings.end() ? "it is not in the jar, and has to lie beside it"
                                     : "its " + std::to_string(found->size) + " bytes are shared") +
            "\n";
  }
  return text + std::to_string(findings.size()) + " images, " + std::to_string(bytes) +
         " bytes stored\n";
}

std::string findings_as_json(const std::vector<JarFinding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const JarFinding& finding : findings) {
    nlohmann::ordered_json json;
    json["name"] = finding.name;
    json["classifier"] = finding.classifier;
    json["entry"] = finding.entry;
    json["digest"] = finding.digest;
    json["offset"] = finding.offset;
    json["size"] = finding.size;
    json["stored"] = finding.stored;
    json["aligned"] = finding.aligned;
    json["shared"] = finding.shared;
    if (finding.base.empty()) {
      json["base"] = nullptr;
    } else {
      json["base"] = finding.base;
    }
    json["runs"] = finding.trouble.empty();
    json["trouble"] = finding.trouble;
    json["remark"] = finding.remark;
    list.push_back(json);
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet
