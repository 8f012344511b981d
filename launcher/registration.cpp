// SPDX-License-Identifier: MIT
#include "launcher/registration.hpp"

#include <algorithm>
#include <string_view>

#include "launcher/desktop_entry.hpp"
#include "launcher/desktop_rewrite.hpp"
#include "launcher/icon_drawing.hpp"
#include "launcher/md5.hpp"
#include "launcher/mime_package.hpp"
#include "launcher/thumbnail.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kInstall = "install";
constexpr std::string_view kIcons = "usr/share/icons/";
constexpr std::size_t kDeepest = 6;  // icons/THEME/SIZE/CONTEXT, and some room

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "icons/hicolor/48x48/apps" of "usr/share/icons/hicolor/48x48/apps/NAME"; empty:
// not a place where icons are looked for.
std::string directory_of_icon(const std::string& path) {
  if (!path.starts_with(kIcons)) return {};
  const std::string directory = path.substr(10, path.rfind('/') - 10);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-+@/").find(c) != std::string_view::npos;
  };
  const auto depth = std::count(directory.begin(), directory.end(), '/');
  const bool good = std::all_of(directory.begin(), directory.end(), plain) &&
                    static_cast<std::size_t>(depth) < kDeepest && directory != "icons";
  return good ? directory : std::string();
}

class Maker {
 public:
  Maker(const ImageFile& image, const std::string& path, ImageResources found)
      : image_(image), path_(path), found_(std::move(found)) {
    made_.id = appimage_id(path);
    made_.notes = found_.notes;
  }

  Result<Registration> make(const RegistrationOptions& options) {
    const auto text = found_.texts.find("desktop");
    if (text == found_.texts.end()) {
      return plain_error(kInstall, image_.name, "it has no desktop entry",
                         "only what has one at its top can be shown in menus");
    }
    auto entry = DesktopEntry::parse(text->second.bytes);
    if (!entry.ok()) return plain_error(kInstall, image_.name, entry.error().reason);
    RewrittenEntry rewritten =
        TRY(rewrite_entry(entry.value(), path_, made_.id, image_.name, options.force));
    made_.name = rewritten.name;
    made_.notes.insert(made_.notes.end(), rewritten.notes.begin(), rewritten.notes.end());
    add_icons(rewritten.icon);
    add_packages();
    add_thumbnails();
    made_.files.push_back({RegisteredFile::Base::data, "applications/" + rewritten.file_name,
                           std::move(rewritten.text), 0744});
    return std::move(made_);
  }

 private:
  void note(const std::string& path, const std::string& why) {
    made_.notes.push_back(path + ": " + why);
  }

  std::string own(const std::string& name) const {
    return kVendor + made_.id + "_" + safe_name(name);
  }

  void add_icons(const std::string& icon) {
    for (ImageResource& resource : found_.icons) add_icon(resource);
    const auto top = found_.texts.find("diricon");
    if (top == found_.texts.end()) return;
    auto drawing = draw_icon(top->second.bytes, ".DirIcon", {});
    if (!drawing.ok()) return note(".DirIcon", drawing.error().reason);
    top_is_good_ = true;
    if (have_icon_ || icon.empty()) return;
    // Where the image has none in a theme its own picture is the icon.
    const std::string side = std::to_string(drawing.value().height);
    const bool svg = drawing.value().format == "svg";
    add(RegisteredFile::Base::data,
        "icons/hicolor/" + (svg ? "scalable" : side + "x" + side) + "/apps/" +
            own(icon + (svg ? ".svg" : ".png")),
        top->second.bytes);
  }

  void add_icon(ImageResource& resource) {
    const std::string directory = directory_of_icon(resource.path);
    if (directory.empty()) return note(resource.path, "no place for an icon");
    auto drawing = draw_icon(resource.bytes, resource.path, {});
    if (!drawing.ok()) return note(resource.path, drawing.error().reason);
    const bool svg = drawing.value().format == "svg";
    const bool named = svg ? resource.path.ends_with(".svg") || resource.path.ends_with(".svgz")
                           : resource.path.ends_with(".png");
    if (!named) return note(resource.path, "it is " + drawing.value().format + " by another name");
    have_icon_ = true;
    good_icons_.push_back(&resource);
    add(RegisteredFile::Base::data, directory + "/" + own(file_name(resource.path)),
        resource.bytes);
  }

  void add_packages() {
    for (const ImageResource& package : found_.packages) {
      std::vector<std::string> notes;
      const auto text = mime_package_text(package, notes);
      for (const std::string& why : notes) note(package.path, why);
      if (!text.ok()) {
        note(package.path, text.error().reason);
        continue;
      }
      add(RegisteredFile::Base::data, "mime/packages/" + own(file_name(package.path)),
          text.value());
    }
  }

  // The one that libappimage would take: of that size, or scalable, else .DirIcon.
  const std::string* best_icon(const std::string& size) const {
    for (const ImageResource* icon : good_icons_) {
      if (icon->path.find(size) != std::string::npos ||
          icon->path.find("/scalable/") != std::string::npos) {
        return &icon->bytes;
      }
    }
    if (top_is_good_) return &found_.texts.at("diricon").bytes;
    return good_icons_.empty() ? nullptr : &good_icons_.front()->bytes;
  }

  void add_thumbnails() {
    for (const auto& [directory, side] : {std::pair{"normal", 128}, std::pair{"large", 256}}) {
      const std::string size = std::to_string(side) + "x" + std::to_string(side);
      const std::string* icon = best_icon(size);
      if (icon == nullptr) return;
      auto drawing = draw_icon(*icon, "the icon", {side});
      if (!drawing.ok()) return note("thumbnail", drawing.error().reason);
      add(RegisteredFile::Base::cache,
          std::string("thumbnails/") + directory + "/" + thumbnail_name(path_),
          as_thumbnail(drawing.value().pngs.front(), path_, image_.fd.get()), 0600);
    }
  }

  void add(RegisteredFile::Base base, std::string path, std::string bytes, unsigned mode = 0644) {
    made_.files.push_back({base, std::move(path), std::move(bytes), mode});
  }

  const ImageFile& image_;
  const std::string& path_;
  ImageResources found_;
  Registration made_;
  std::vector<const ImageResource*> good_icons_;
  bool have_icon_ = false, top_is_good_ = false;
};

}  // namespace

std::string appimage_id(const std::string& path) { return md5_of("file://" + path); }

std::string safe_name(std::string text) {
  for (char& c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  if (text.size() > 150) text.erase(0, text.size() - 150);  // the end holds the suffix
  return text;
}

Result<Registration> make_registration(const ImageFile& image, const std::string& path,
                                       ImageResources found, const RegistrationOptions& options) {
  for (const char letter : path) {
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
      return plain_error(kInstall, image.name, "its path has a control character",
                         "move it to another place");
    }
  }
  if (!is_utf8(path)) {
    return plain_error(kInstall, image.name, "its path is no UTF-8", "move it to another place");
  }
  if (path.find('%') != std::string::npos) {
    found.notes.push_back("starting it: GLib cannot start files whose path has a %");
  }
  return Maker(image, path, std::move(found)).make(options);
}

}  // namespace rootlet
