// SPDX-License-Identifier: MIT
#include <glib.h>

#include "examiner/jobs.hpp"

// GMarkup and not libxml2: it knows neither entities nor external documents, so
// there is nothing in it that could grow or reach out.
namespace rootlet::examiner {
namespace {

void put(FrameWriter& out, std::string_view what, std::string_view name, std::string_view value) {
  std::string body;
  put_text(body, what);
  put_text(body, name);
  put_text(body, value);
  out.put(Tag::element, body);
}

FrameWriter& writer(gpointer data) { return *static_cast<FrameWriter*>(data); }

void open(GMarkupParseContext*, const gchar* name, const gchar** names, const gchar** values,
          gpointer data, GError**) {
  put(writer(data), "open", name, "");
  for (; *names != nullptr; ++names, ++values) put(writer(data), "attribute", *names, *values);
}

void close(GMarkupParseContext*, const gchar* name, gpointer data, GError**) {
  put(writer(data), "close", name, "");
}

void text(GMarkupParseContext*, const gchar* bytes, gsize size, gpointer data, GError**) {
  put(writer(data), "text", "", {bytes, size});
}

}  // namespace

Status read_mime_package(const std::string& package, FrameWriter& out) {
  const GMarkupParser parser{open, close, text, nullptr, nullptr};
  GMarkupParseContext* context =
      ::g_markup_parse_context_new(&parser, static_cast<GMarkupParseFlags>(0), &out, nullptr);
  GError* error = nullptr;
  const bool good =
      ::g_markup_parse_context_parse(context, package.data(), static_cast<gssize>(package.size()),
                                     &error) != 0 &&
      ::g_markup_parse_context_end_parse(context, &error) != 0;
  ::g_markup_parse_context_free(context);
  put(out, good ? "whole" : "broken", "", error != nullptr ? error->message : "");
  if (error != nullptr) ::g_error_free(error);
  return Done{};
}

}  // namespace rootlet::examiner
