// SPDX-License-Identifier: MIT
#include <cairo.h>
#include <librsvg/rsvg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "examiner/jobs.hpp"

namespace rootlet::examiner {
namespace {

constexpr int kLargestSide = 4096;  // pixels; larger ones are no icons
constexpr int kTrial = 256;         // an SVG is drawn once at this size to see whether it can be
constexpr std::size_t kLargestFile = 4u << 20;

struct FreeSurface {
  void operator()(cairo_surface_t* surface) const { ::cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, FreeSurface>;
struct FreeDrawing {
  void operator()(cairo_t* drawing) const { ::cairo_destroy(drawing); }
};
using Drawing = std::unique_ptr<cairo_t, FreeDrawing>;
struct FreeSvg {
  void operator()(RsvgHandle* svg) const { ::g_object_unref(svg); }
};
using Svg = std::unique_ptr<RsvgHandle, FreeSvg>;

Error refused(std::string_view reason) { return plain_error("draw the icon", {}, reason); }

Result<std::string> file_bytes() {
  struct stat status {};
  if (::fstat(kFile, &status) != 0) return last_error("read the icon");
  if (static_cast<std::size_t>(status.st_size) > kLargestFile) return refused("it is too large");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(kFile, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return last_error("read the icon");
  }
  return bytes;
}

cairo_status_t next_bytes(void* from, unsigned char* data, unsigned int length) {
  auto& rest = *static_cast<std::string_view*>(from);
  if (length > rest.size()) return CAIRO_STATUS_READ_ERROR;
  std::memcpy(data, rest.data(), length);
  rest.remove_prefix(length);
  return CAIRO_STATUS_SUCCESS;
}

cairo_status_t add_bytes(void* to, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

// Width and height as the file's own header has them, before anything is decoded
// (PNG specification, 11.2.2).
bool is_small_png(const std::string& bytes) {
  const auto side = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  };
  return bytes.size() > 24 && side(16) <= kLargestSide && side(20) <= kLargestSide;
}

// A picture, and how large it is by itself.
class Picture {
 public:
  static Result<Picture> read(const std::string& bytes) {
    Picture picture;
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
      if (!is_small_png(bytes)) return refused("a PNG of more than 4096 pixels a side");
      std::string_view rest = bytes;
      picture.png_.reset(::cairo_image_surface_create_from_png_stream(next_bytes, &rest));
      if (::cairo_surface_status(picture.png_.get()) != CAIRO_STATUS_SUCCESS) {
        return refused("a damaged PNG");
      }
      picture.width_ = ::cairo_image_surface_get_width(picture.png_.get());
      picture.height_ = ::cairo_image_surface_get_height(picture.png_.get());
      return picture;
    }
    GError* error = nullptr;
    picture.svg_.reset(::rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(bytes.data()),
                                                   bytes.size(), &error));
    if (picture.svg_ == nullptr) {
      const std::string why = error != nullptr ? error->message : "";
      return refused("neither a PNG nor an SVG" + (why.empty() ? why : " (" + why + ")"));
    }
    gdouble width = 0, height = 0;
    if (::rsvg_handle_get_intrinsic_size_in_pixels(picture.svg_.get(), &width, &height)) {
      picture.width_ = static_cast<int>(std::clamp(width, 0.0, 1e6));
      picture.height_ = static_cast<int>(std::clamp(height, 0.0, 1e6));
    }
    return picture;
  }

  const char* format() const { return png_ ? "png" : "svg"; }
  int width() const { return width_; }
  int height() const { return height_; }

  // Into a square, in its own proportions.
  Result<std::string> as_png(int size) {
    const Surface surface(::cairo_image_surface_create(CAIRO_FORMAT_ARGB32, size, size));
    const Drawing drawing(::cairo_create(surface.get()));
    if (svg_) {
      const RsvgRectangle all{0, 0, static_cast<double>(size), static_cast<double>(size)};
      GError* error = nullptr;
      if (!::rsvg_handle_render_document(svg_.get(), drawing.get(), &all, &error)) {
        return refused(std::string("an SVG that cannot be drawn: ") +
                       (error != nullptr ? error->message : ""));
      }
    } else {
      draw_png(drawing.get(), size);
    }
    std::string out;
    if (::cairo_surface_write_to_png_stream(surface.get(), add_bytes, &out) !=
        CAIRO_STATUS_SUCCESS) {
      return refused("it cannot be drawn");
    }
    return out;
  }

 private:
  void draw_png(cairo_t* drawing, int size) {
    const double scale = static_cast<double>(size) / std::max({width_, height_, 1});
    ::cairo_translate(drawing, (size - width_ * scale) / 2, (size - height_ * scale) / 2);
    ::cairo_scale(drawing, scale, scale);
    ::cairo_set_source_surface(drawing, png_.get(), 0, 0);
    ::cairo_paint(drawing);
  }

  Surface png_;
  Svg svg_;
  int width_ = 0, height_ = 0;
};

}  // namespace

Status render(const Words& words, FrameWriter& out) {
  const auto read = file_bytes();
  if (!read.ok()) return read.error();
  const std::string& bytes = read.value();
  Picture picture = TRY(Picture::read(bytes));
  TRY(picture.as_png(kTrial));
  out.fact("format", picture.format());
  out.fact("width", std::to_string(picture.width()));
  out.fact("height", std::to_string(picture.height()));
  for (const std::string& word : words) {
    const int size = std::clamp(std::atoi(word.c_str()), 1, kLargestSide);
    const std::string png = TRY(picture.as_png(size));
    std::string body;
    put_text(body, "drawing");
    put_text(body, word);
    put_number(body, png.size());
    out.put(Tag::resource, body);
    for (std::size_t at = 0; at < png.size(); at += 1u << 20) {
      out.put(Tag::content, std::string_view(png).substr(at, 1u << 20));
    }
  }
  return Done{};
}

}  // namespace rootlet::examiner
