// SPDX-License-Identifier: MIT
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "launcher/verbs.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/run/extracted.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/run/rendezvous.hpp"

// cache: what runs keep on this host, and how to be rid of it.
namespace rootlet {
namespace {

constexpr const char* kUsage = "rootlet cache [list|clean] [--json]";
constexpr const char* kHelp =
    "Usage: rootlet cache [list|clean] [--json]\n"
    "Lists what runs keep on this host, or removes what of it no run uses.\n\n"
    "Images are kept unpacked where /dev/fuse is not to be had, or with\n"
    "mount=extract, if cache=SIZE asks for it or an image server would be shared\n"
    "(keep). They lie below $XDG_CACHE_HOME, ~/.cache, $TMPDIR or /tmp, in\n"
    "rootlet-UID. Runs find shared image servers in $XDG_RUNTIME_DIR/rootlet.\n\n"
    "  --json    one object: directories, entries, servers\n\n"
    "Examples:\n"
    "  rootlet cache                 what there is, and how much it takes\n"
    "  rootlet cache clean           remove what no run uses\n"
    "  rootlet cache list --json | jq .bytes\n\n"
    "Exit status: 0; 125: rootlet failed.\n";

struct Entry {
  Kept kept;
  std::string image;
};
struct Directory {
  std::string base, path;
  std::vector<Entry> entries;
};

// The file that an image was unpacked from stands at the end of its stamp.
std::string image_of(int directory, const char* name) {
  auto stamp = os::read_file(directory, std::string(name) + "/stamp", 8192);
  constexpr std::size_t kNumbers = 34;
  return stamp.ok() && stamp.value().size() > kNumbers ? stamp.value().substr(kNumbers) : "";
}

std::vector<Entry> entries_of(int directory) {
  std::vector<Entry> entries;
  each_kept(directory, [&](const Kept& kept) {
    entries.push_back({kept, image_of(directory, kept.name)});
  });
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.kept.used > b.kept.used; });
  return entries;
}

// Those that are there, and are private directories of ours.
std::vector<Directory> directories() {
  std::vector<Directory> found;
  for (const std::string& base : places_to_unpack()) {
    const std::string path = PrivateDirectory::name_of_base(base);
    const auto known = [&](const Directory& other) { return other.path == path; };
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != ::geteuid() || std::any_of(found.begin(), found.end(), known)) {
      continue;
    }
    found.push_back({base, path, {}});
  }
  return found;
}

std::string size_text(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::string time_text(std::int64_t seconds) {
  const time_t moment = seconds;
  struct tm parts {};
  char text[32] = "";
  if (::localtime_r(&moment, &parts) != nullptr) {
    ::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
  }
  return text;
}

const char* state_of(const Kept& kept) {
  if (kept.in_use) return kept.complete ? "in use" : "being made";
  return kept.complete ? "kept" : "half made";
}

std::string row_of(const Entry& entry) {
  char front[80];
  std::snprintf(front, sizeof front, "  %s  %12s  %16s  %-10s  ", entry.kept.name,
                size_text(entry.kept.bytes).c_str(), time_text(entry.kept.used).c_str(),
                state_of(entry.kept));
  return front + printable(entry.image) + "\n";
}

void write_entry(JsonText& json, const Entry& entry) {
  json.object().text("name", entry.kept.name).text("image", entry.image);
  json.number("bytes", static_cast<std::int64_t>(entry.kept.bytes));
  json.number("used", entry.kept.used).text("state", state_of(entry.kept)).close();
}

// What of a directory is told: `verb` "keeps" or "removed".
struct Report {
  JsonText json;
  std::string text;
  std::uint64_t bytes = 0;

  explicit Report(const char* what) { json.object().array(what); }
  void begin(const std::string& path) {
    json.object().text("directory", path).array("entries");
    text += printable(path) + "\n";
  }
  void add(const Entry& entry) {
    write_entry(json, entry);
    text += row_of(entry);
    bytes += entry.kept.bytes;
  }
  void end() { json.close().close(); }
};

int print(Report& report, bool as_json, const char* total) {
  report.json.close().number("bytes", static_cast<std::int64_t>(report.bytes));
  const Caller caller = read_caller("rootlet", environ);
  report.json.array("servers");
  std::string servers;
  for (const std::string& path : Rendezvous::prepare_all(caller)) {
    report.json.text(path);
    servers += "image servers meet in " + printable(path) + "\n";
  }
  report.json.close().close();
  const std::string text = report.text + total + size_text(report.bytes) + "\n" + servers;
  std::fputs((as_json ? report.json.str() + "\n" : text).c_str(), stdout);
  return 0;
}

int list(bool as_json) {
  Report report("kept");
  for (const Directory& directory : directories()) {
    const os::Fd fd(::open(directory.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    report.begin(directory.path);
    for (const Entry& entry : entries_of(fd.get())) report.add(entry);
    report.end();
  }
  return print(report, as_json, "kept: ");
}

int clean(bool as_json) {
  Report report("removed");
  for (const Directory& directory : directories()) {
    // Locked, and rid of what killed runs left.
    auto fd = PrivateDirectory::open_base(directory.base, "clean the cache", false);
    if (!fd.ok()) {
      print_error(fd.error());
      return fd.error().exit_code;
    }
    report.begin(directory.path);
    for (const Entry& entry : entries_of(fd.value().get())) {
      if (remove_kept(fd.value().get(), entry.kept.name)) report.add(entry);
    }
    report.end();
    ::rmdir(directory.path.c_str());  // ENOTEMPTY where something is in use
  }
  return print(report, as_json, "removed: ");
}

}  // namespace

int cache_verb(int argc, char** argv) {
  bool as_json = false;
  std::string what;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (word == "--json") {
      as_json = true;
    } else if (what.empty() && (word == "list" || word == "clean")) {
      what = word;
    } else {
      print_error(
          plain_error("read the command line", word, "it is neither list nor clean", kUsage));
      return 125;
    }
  }
  return what == "clean" ? clean(as_json) : list(as_json);
}

}  // namespace rootlet
