// SPDX-License-Identifier: MIT
#include "launcher/icon_drawing.hpp"

#include <sys/mman.h>

#include <cstdlib>

#include "launcher/examination.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kDraw = "draw the icon";
constexpr std::size_t kLargestPng = 4u << 20;

Error nonsense(const std::string& name) {
  return plain_error(kDraw, name, "what its reader says makes no sense");
}

bool take_fact(std::string_view body, IconDrawing& drawing) {
  const auto name = take_text(body), value = take_text(body);
  if (!value) return false;
  if (*name == "format") drawing.format = *value;
  const int number = std::atoi(value->c_str());
  if (*name == "width") drawing.width = number;
  if (*name == "height") drawing.height = number;
  return true;
}

bool is_png(const std::string& bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

}  // namespace

Result<IconDrawing> draw_icon(const std::string& bytes, const std::string& name,
                              const std::vector<int>& sizes) {
  const os::Fd file(::memfd_create("rootlet-icon", MFD_CLOEXEC));
  if (!file.valid()) return last_error(kDraw, name);
  TRY(os::write_all(file.get(), bytes, kDraw, name));
  Question question;
  question.job = "render";
  for (const int size : sizes) question.words.push_back(std::to_string(size));
  question.file = file.get();
  question.name = name;
  question.most_bytes = 16u << 20;
  question.patience = 15;
  Examination examination = TRY(Examination::start(std::move(question)));
  IconDrawing drawing;
  while (const auto frame = TRY(examination.next())) {
    if (frame->tag == Tag::fact) {
      if (!take_fact(frame->body, drawing)) return nonsense(name);
    } else if (frame->tag == Tag::resource && drawing.pngs.size() < sizes.size()) {
      drawing.pngs.emplace_back();
    } else if (frame->tag == Tag::content && !drawing.pngs.empty() &&
               drawing.pngs.back().size() + frame->body.size() <= kLargestPng) {
      drawing.pngs.back() += frame->body;
    } else {
      return nonsense(name);
    }
  }
  const bool known = drawing.format == "png" || drawing.format == "svg";
  if (!known || drawing.pngs.size() != sizes.size() || drawing.width < 0 || drawing.height < 0) {
    return nonsense(name);
  }
  for (const std::string& png : drawing.pngs) {
    if (!is_png(png)) return nonsense(name);
  }
  return drawing;
}

}  // namespace rootlet
