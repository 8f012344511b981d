// SPDX-License-Identifier: MIT
#include "launcher/records/page.hpp"

#include <cstdio>

#include "runtime/base/error.hpp"

namespace rootlet::records {
namespace {

void line(std::string& page, const std::string& name, const std::string& value) {
  if (value.empty()) return;
  page +=
      name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') + printable(value) + "\n";
}

// In words that a shell reads as they are.
std::string quoted(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string command_line(const Json& record) {
  std::string text;
  for (const std::string& word : texts_at(record, "argv")) {
    text += (text.empty() ? "" : " ") + quoted(word);
  }
  return text;
}

std::string size_text(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::string options_text(const Json& record) {
  std::string text;
  for (const Json& option : list_at(record, "options")) {
    const std::string value = text_at(option, "value");
    text += (text.empty() ? "" : " ") +
            quoted(text_at(option, "name") + (value.empty() ? "" : "=" + value));
  }
  return text;
}

void add_images(std::string& page, const Json& record) {
  const Json& reads = list_at(record, "read_bytes");
  std::size_t reader = 0;  // the reads are those of images that have a server
  for (const Json& image : list_at(record, "images")) {
    const std::string path = text_at(image, "path"), name = text_at(image, "name");
    line(page, text_at(image, "role"),
         text_at(image, "file") + (path.empty() ? "" : " at " + path) +
             (name.empty() ? "" : " (" + name + ")"));
    const std::string digest = digest_of(image);
    std::string more = digest.empty() ? "no digest" : digest;
    if (text_at(image, "reached") == "served" && reader < reads.size()) {
      const Json& bytes = reads[reader++];
      if (bytes.is_number()) more += ", " + size_text(bytes.get<std::int64_t>()) + " read";
    }
    line(page, "", more);
  }
}

void add_files(std::string& page, const Json& record, const char* list, const char* name) {
  for (const Json& file : list_at(record, list)) {
    std::string known = text_at(file, "sha256");
    if (file.contains("link")) known = "-> " + text_at(file, "link");
    if (file.contains("error")) known = text_at(file, "error");
    line(page, name, text_at(file, "path") + " " + known);
  }
}

std::string seconds(std::int64_t milliseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(milliseconds) / 1000);
  return text;
}

}  // namespace

std::string page_of(const Record& record) {
  const Json& json = record.json;
  const Json& tool = object_at(json, "tool");
  const Json& host = object_at(json, "host");
  std::string page;
  line(page, "tool", text_at(tool, "name") + " " + text_at(tool, "version"));
  line(page, "command", command_line(json));
  line(page, "directory", text_at(json, "directory"));
  line(page, "options", options_text(json));
  add_images(page, json);
  const Json& release = object_at(json, "release");
  if (!release.empty())
    line(page, "release", text_at(release, "name") + " " + text_at(release, "digest"));
  line(page, "profile", text_at(object_at(json, "plan"), "profile"));
  line(page, "rules", text_at(object_at(json, "plan"), "rules"));
  add_files(page, json, "inputs", "input");
  add_files(page, json, "outputs", "output");
  for (const char* stream : {"stdin", "stdout"}) {
    const Json& file = object_at(json, stream);
    if (!file.empty()) line(page, stream, text_at(file, "path") + " " + text_at(file, "sha256"));
  }
  line(page, "start", text_at(json, "start"));
  line(page, "end", text_at(json, "end"));
  line(page, "outcome", ending(json));
  for (const std::string& limit : texts_at(json, "limits_met")) line(page, "limit met", limit);
  for (const std::string& note : texts_at(json, "notes")) line(page, "note", note);
  if (is_complete(json)) {
    line(page, "processor", seconds(number_at(json, "user_ms") + number_at(json, "system_ms")));
    line(page, "memory",
         size_text(number_at(json, "max_rss_kib") * 1024) + " at most in one process");
  }
  if (!host.empty()) {
    line(page, "host",
         text_at(host, "name") + ", Linux " + text_at(host, "kernel") + ", " +
             text_at(host, "processor") + ", by " + text_at(host, "user"));
  }
  return page;
}

}  // namespace rootlet::records
