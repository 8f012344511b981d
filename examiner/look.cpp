// SPDX-License-Identifier: MIT
#include <appimage/core/AppImage.h>
#include <appimage/core/exceptions.h>
#include <appimage/utils/ResourcesExtractor.h>

#include <algorithm>

#include "examiner/jobs.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::examiner {
namespace {

constexpr std::size_t kLargestText = 256u << 10;
constexpr std::size_t kLargestBill = 16u << 20;
constexpr std::size_t kLargestIcon = 4u << 20;
constexpr std::size_t kMostIcons = 64, kMostPackages = 16;

// A file that is to be told about.
struct Wish {
  std::string kind, path, real;
  std::size_t most;
  bool with_content;
  char was = '\0';  // its kind, once it was met
};

struct Names {
  std::string desktop;
  std::vector<std::string> icons, packages;
};

class Look {
 public:
  Look(Archive& archive, Links links, FrameWriter& out)
      : archive_(archive), links_(std::move(links)), out_(out) {}

  void wish(const std::string& kind, const std::string& path, std::size_t most, bool with_content) {
    const std::string real = links_.resolve(path);
    if (real.empty()) {
      if (links_.has(path)) out_.note(path + ": a link to nothing in the image");
      return;
    }
    wishes_.push_back({kind, path, real, most, with_content});
  }

  // One pass over the image; the bytes of text files come back.
  Status fulfil() {
    std::vector<Wish> wishes = std::move(wishes_);
    wishes_.clear();
    if (wishes.empty()) return Done{};
    return archive_.walk([&](const Member& member, Content& content) -> Status {
      std::vector<const Wish*> met;
      for (const Wish& wish : wishes) {
        if (wish.real == member.path) met.push_back(&wish);
      }
      return met.empty() ? Status(Done{}) : tell(met, member, content);
    });
  }

  const Links& links() const { return links_; }
  const std::string& desktop() const { return desktop_; }

 private:
  // Several names of one file are told one after the other, its bytes read once.
  Status tell(const std::vector<const Wish*>& met, const Member& member, Content& content) {
    std::string bytes;
    if (member.kind == 'f' && member.size <= kLargestIcon) {
      TRY(content.read([&](std::string_view piece) -> Status {
        // A size that lies is caught here.
        if (bytes.size() <= kLargestIcon) bytes += piece;
        return Done{};
      }));
    }
    for (const Wish* wish : met) {
      if (member.kind != 'f') {
        out_.note(wish->path + ": not a regular file");
      } else if (std::max<std::uint64_t>(member.size, bytes.size()) > wish->most) {
        out_.note(wish->path + ": larger than " + std::to_string(wish->most >> 10) + " KiB");
      } else {
        TRY(tell_one(*wish, bytes));
      }
    }
    return Done{};
  }

  Status tell_one(const Wish& wish, const std::string& bytes) {
    std::string body;
    put_text(body, wish.kind);
    put_text(body, wish.path);
    put_number(body, bytes.size());
    out_.put(Tag::resource, body);
    if (wish.kind == "desktop") desktop_ = bytes;
    if (wish.kind == "mime") return read_mime_package(bytes, out_);
    for (std::size_t at = 0; wish.with_content && at < bytes.size(); at += kPiece) {
      out_.put(Tag::content, std::string_view(bytes).substr(at, kPiece));
    }
    return Done{};
  }

  static constexpr std::size_t kPiece = 1u << 20;
  Archive& archive_;
  Links links_;
  FrameWriter& out_;
  std::vector<Wish> wishes_;
  std::string desktop_;
};

// The value of the first such key of [Desktop Entry].
std::string value_of(const std::string& desktop, const std::string& key) {
  for (std::size_t at = 0; at < desktop.size();) {
    const std::size_t end = std::min(desktop.find('\n', at), desktop.size());
    std::string line = desktop.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with(key + "=")) return line.substr(key.size() + 1);
  }
  return {};
}

bool is_in(const std::string& path, std::string_view directory, std::string_view suffix) {
  return path.starts_with(directory) && path.ends_with(suffix);
}

// Where libappimage does not know the format: its rules.
std::string first_desktop_file(const Links& links) {
  for (const auto& [path, kind] : links.all()) {
    if (path.find('/') == path.npos && path.ends_with(".desktop")) return path;
  }
  return {};
}

// What libappimage says about the file: facts, and the names of what matters.
// Its library throws; nothing of it leaves this function.
class LibAppImage {
 public:
  explicit LibAppImage(FrameWriter& out) : out_(out) {}

  void open() {
    guarded([this] {
      const appimage::core::AppImage image(kFileName);
      out_.fact("libappimage.format", std::to_string(static_cast<int>(image.getFormat())));
      out_.fact("libappimage.offset", std::to_string(image.getPayloadOffset()));
      extractor_ = std::make_unique<appimage::utils::ResourcesExtractor>(image);
    });
  }

  void desktop(std::string& path) {
    guarded([&] { path = extractor_->getDesktopEntryPath(); });
  }

  void others(const std::string& icon, Names& names) {
    guarded([&] {
      if (!icon.empty() && icon.find('/') == icon.npos) {
        names.icons = extractor_->getIconFilePaths(icon);
      }
      names.packages = extractor_->getMimeTypePackagesPaths();
    });
  }

  bool works() const { return extractor_ != nullptr && !failed_; }

 private:
  template <typename Ask>
  void guarded(Ask ask) {
    if (failed_) return;
    try {
      ask();
    } catch (const std::exception& error) {
      failed_ = true;
      out_.fact("libappimage.error", error.what());
    }
  }

  FrameWriter& out_;
  std::unique_ptr<appimage::utils::ResourcesExtractor> extractor_;
  bool failed_ = false;
};

void without_libappimage(const Links& links, const std::string& icon, Names& names) {
  for (const auto& [path, kind] : links.all()) {
    if (!icon.empty() && icon.find('/') == icon.npos && is_in(path, "usr/share/icons/", "") &&
        kind != 'd' && path.find(icon) != path.npos) {
      names.icons.push_back(path);
    }
    if (is_in(path, "usr/share/mime/packages/", ".xml")) names.packages.push_back(path);
  }
}

void wish_all(Look& look, FrameWriter& out, const std::string& kind, std::vector<std::string> paths,
              std::size_t most_files, std::size_t most_bytes, bool full) {
  std::erase_if(paths, [&](const std::string& path) {
    return !is_proper(path) || look.links().kind(path) == 'd';
  });
  if (paths.size() > most_files) {
    out.note(std::to_string(paths.size()) + " files as " + kind + ": the first " +
             std::to_string(most_files) + " count");
    paths.resize(most_files);
  }
  for (const std::string& path : paths) look.wish(kind, path, most_bytes, full);
}

}  // namespace

Status look(Archive& archive, const Words& words, FrameWriter& out) {
  const bool full = words.size() > 0 && words[0] == "full";
  const bool whole = words.size() > 1 && words[1] == "whole";
  Look look(archive, TRY(read_links(archive)), out);
  out.fact("files", std::to_string(look.links().all().size()));
  for (const char* path : {"AppRun", ".DirIcon"}) {
    if (look.links().has(path)) out.fact("has", path);
  }

  LibAppImage library(out);
  Names names;
  if (whole) library.open();
  // Where there is none libappimage throws; that is no fault of the file.
  names.desktop = first_desktop_file(look.links());
  if (!names.desktop.empty() && library.works()) library.desktop(names.desktop);
  look.wish("desktop", names.desktop, kLargestText, true);
  look.wish("policy", std::string(kPolicyPath), kPolicyMaximum, true);
  look.wish("policy.toml", ".rootlet/policy.toml", kPolicyMaximum, true);
  look.wish("build", ".rootlet/build.json", kPolicyMaximum, true);
  look.wish("bill", ".rootlet/bom.cdx.json", kLargestBill, true);
  look.wish("content", std::string(kDigestPath), kLargestText, true);
  TRY(look.fulfil());

  const std::string icon = value_of(look.desktop(), "Icon");
  if (library.works()) {
    library.others(icon, names);
  } else {
    without_libappimage(look.links(), icon, names);
  }
  wish_all(look, out, "icon", names.icons, kMostIcons, kLargestIcon, full);
  wish_all(look, out, "mime", names.packages, kMostPackages, kLargestText, true);
  look.wish("diricon", ".DirIcon", kLargestIcon, full);
  return look.fulfil();
}

}  // namespace rootlet::examiner
