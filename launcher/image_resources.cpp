// SPDX-License-Identifier: MIT
#include "launcher/image_resources.hpp"

namespace rootlet {
namespace {

constexpr std::size_t kMostElements = 20000, kMostFacts = 64, kMostResources = 200;

// Takes one frame after the other; false: it makes no sense.
class Collection {
 public:
  explicit Collection(ImageResources& found) : found_(found) {}

  bool add(const Frame& frame) {
    std::string_view body = frame.body;
    switch (frame.tag) {
      case Tag::fact: return fact(body);
      case Tag::resource: return resource(body);
      case Tag::element: return element(body);
      case Tag::content:
        if (current_ == nullptr) return false;
        current_->bytes += body;
        return current_->bytes.size() <= current_->size;
      case Tag::member:
      case Tag::note:
      case Tag::error:
      case Tag::end: break;
    }
    return false;
  }

 private:
  bool fact(std::string_view body) {
    const auto name = take_text(body), value = take_text(body);
    if (!value || found_.facts.size() >= kMostFacts) return false;
    found_.facts[*name == "has" ? "has." + *value : *name] = *name == "has" ? "yes" : *value;
    return true;
  }

  bool resource(std::string_view body) {
    const auto kind = take_text(body), path = take_text(body);
    const auto size = take_number(body);
    if (!size || !is_proper(*path) || ++resources_ > kMostResources) return false;
    if (*kind == "icon") {
      current_ = &found_.icons.emplace_back();
    } else if (*kind == "mime") {
      current_ = &found_.packages.emplace_back();
    } else {
      if (found_.texts.count(*kind) != 0) return false;
      current_ = &found_.texts[*kind];
    }
    current_->path = *path;
    current_->size = *size;
    return true;
  }

  bool element(std::string_view body) {
    const auto what = take_text(body), name = take_text(body), value = take_text(body);
    if (!value || current_ == nullptr || current_->elements.size() >= kMostElements) return false;
    current_->elements.push_back({*what, *name, *value});
    return true;
  }

  ImageResources& found_;
  ImageResource* current_ = nullptr;
  std::size_t resources_ = 0;
};

}  // namespace

std::string ImageResources::fact(const std::string& name) const {
  const auto found = facts.find(name);
  return found == facts.end() ? std::string() : found->second;
}

Result<ImageResources> read_resources(const ImageFile& image, Depth depth) {
  // libappimage knows whole files only, and only AppImages.
  const bool known =
      image.whole && (image.format == ImageFormat::type_1 || image.format == ImageFormat::type_2);
  Examination examination = TRY(Examination::start(image.question(
      "look", {depth == Depth::content ? "full" : "brief", known ? "whole" : "part"})));
  ImageResources found;
  Collection collection(found);
  while (const auto frame = TRY(examination.next())) {
    if (!collection.add(*frame)) {
      return plain_error("read the image", image.name, "what its reader says makes no sense",
                         "the file is damaged or built to do harm; do not run it");
    }
  }
  found.notes = examination.notes();
  return found;
}

}  // namespace rootlet
