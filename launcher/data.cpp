// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "launcher/build_report.hpp"
#include "launcher/command_line.hpp"
#include "launcher/data_store.hpp"
#include "launcher/release.hpp"
#include "launcher/verbs.hpp"
#include "runtime/run/data_search.hpp"
#include "runtime/run/source.hpp"

extern char** environ;

// `rootlet data`: images of data, known by their digest.
namespace rootlet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet build --data ./pfam -o pfam.sqfs   # a directory becomes an image\n"
    "  rootlet data add pfam.sqfs            # into your store; prints its line\n"
    "  rootlet data find hmmer.AppImage      # where a run finds what it needs\n"
    "  rootlet data verify pfam                   # every byte of it\n"
    "  rootlet data gc --unused-for 90 --dry-run\n"
    "\n"
    "A run looks in --data-path, beside the image, in your store\n"
    "(~/.local/share/rootlet/data) and in $XDG_DATA_DIRS/rootlet/data.\n";

constexpr std::string_view kFind = "find the data";

int fail(const Error& error) {
  print_error(error);
  return error.exit_code;
}

struct Request {
  std::vector<std::string> files, keep, places;
  std::string name, directory;
  int unused_for = -1;  // days
  std::uint64_t max_size = 0;
  bool json = false, quiet = false, dry_run = false;
};

DataStore open_store(const Request& request) {
  if (!request.directory.empty()) return DataStore(request.directory);
  return DataStore(data_store(read_caller("rootlet", environ)));
}

// Shown to a terminal only.
class Bar {
 public:
  Bar(const char* what, bool quiet) : what_(what), shown_(!quiet && ::isatty(2) == 1) {}
  ~Bar() {
    if (shown_) bar_.finish();
  }
  auto teller(const std::string& subject) {
    return [this, subject](std::uint64_t done, std::uint64_t total) {
      if (shown_) bar_.show({what_, done, total, true, subject});
    };
  }

 private:
  const char* what_;
  bool shown_;
  BuildProgress bar_;
};

std::string base_name(const std::string& file) {
  std::string name = file.substr(file.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

nlohmann::json entry_json(const DataStore::Entry& entry) {
  return {{"file", entry.file}, {"digest", entry.digest},   {"names", entry.names},
          {"size", entry.size}, {"on_disk", entry.on_disk}, {"used", entry.used},
          {"held", entry.held}};
}

void print_json(const nlohmann::json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

int add(const Request& request) {
  if (!request.name.empty() && request.files.size() > 1) {
    return fail(plain_error("add the data", "--name", "one name for several files",
                            "add them one by one, or leave out --name"));
  }
  DataStore store = open_store(request);
  nlohmann::json added = nlohmann::json::array();
  for (const std::string& file : request.files) {
    Bar bar("add", request.quiet);
    const std::string name = request.name.empty() ? base_name(file) : request.name;
    const auto entry = store.add(file, name, bar.teller(name));
    if (!entry.ok()) return fail(entry.error());
    added.push_back(entry_json(entry.value()));
    if (request.json || request.quiet) continue;
    std::printf("%s = {path = \"/data/%s\", digest = \"%s\", size = %llu, required = true}\n",
                name.c_str(), name.c_str(), entry.value().digest.c_str(),
                static_cast<unsigned long long>(entry.value().size));
  }
  if (request.json) print_json(added);
  return 0;
}

std::string day(std::int64_t seconds) {
  const time_t time = seconds;
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::localtime(&time));
  return text;
}

std::string joined_names(const DataStore::Entry& entry) {
  std::string text;
  for (const std::string& name : entry.names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "-" : text;
}

int list(const Request& request) {
  const DataStore store = open_store(request);
  const auto entries = store.list();
  if (!entries.ok()) return fail(entries.error());
  if (request.json) {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& entry : entries.value()) all.push_back(entry_json(entry));
    print_json(all);
    return 0;
  }
  for (const auto& entry : entries.value()) {
    std::printf("%s  %9.1f MiB  used %s%s  %s\n", entry.digest.c_str(),
                static_cast<double>(entry.size) / (1 << 20), day(entry.used).c_str(),
                entry.held ? ", now" : "", printable(joined_names(entry)).c_str());
  }
  if (entries.value().empty()) {
    std::fprintf(stderr, "nothing in %s\n", printable(store.directory()).c_str());
  }
  return 0;
}

nlohmann::json search_json(const Policy::Data& data, const DataSearch& search) {
  nlohmann::json places = nlohmann::json::array();
  for (const DataPlace& place : search.places) {
    places.push_back(
        {{"directory", place.directory}, {"answered", place.answered}, {"refused", place.refused}});
  }
  nlohmann::json json{{"name", data.name}, {"path", data.path},         {"digest", data.digest},
                      {"size", data.size}, {"required", data.required}, {"places", places}};
  json["found"] = search.fd.valid() ? nlohmann::json(search.file) : nlohmann::json(nullptr);
  return json;
}

void print_search(const Policy::Data& data, const DataSearch& search) {
  std::printf("%s at %s, %s%s\n", data.name.c_str(), data.path.c_str(), data.digest.c_str(),
              data.required ? "" : ", not required");
  for (const DataPlace& place : search.places) {
    for (const std::string& line : place.refused) {
      std::printf("  no   %s\n", printable(line).c_str());
    }
    const bool here = search.fd.valid() && search.file.starts_with(place.directory + "/");
    if (!here && place.refused.empty()) {
      std::printf("  no   %s: %s\n", printable(place.directory).c_str(),
                  place.answered ? "not there" : "does not answer");
    }
    if (here) {
      std::printf("  yes  %s\n", printable(search.file).c_str());
      return;
    }
  }
}

int find(const Request& request) {
  const Caller caller = read_caller("rootlet", environ);
  auto source = open_source(request.files.front());
  if (!source.ok()) return fail(source.error());
  const auto policy = read_policy(source.value());
  if (!policy.ok()) return fail(policy.error());
  std::vector<std::string> given = request.places;
  const auto places = data_places(given, caller, source.value().file);
  bool all = true;
  nlohmann::json json = nlohmann::json::array();
  for (const Policy::Data& data : policy.value().data) {
    const auto search = find_data(data, places);
    if (!search.ok()) return fail(search.error());
    if (data.required && !search.value().fd.valid()) all = false;
    json.push_back(search_json(data, search.value()));
    if (!request.json) print_search(data, search.value());
  }
  if (request.json) print_json(json);
  if (!request.json && policy.value().data.empty()) {
    std::fprintf(stderr, "%s names no data\n", printable(request.files.front()).c_str());
  }
  return all ? 0 : 1;
}

// A file, or a name or digest of the store.
Result<std::string> file_of(const DataStore& store, const std::string& text) {
  if (::access(text.c_str(), F_OK) == 0) return text;
  for (const auto& entry : TRY(store.list())) {
    const bool named = std::find(entry.names.begin(), entry.names.end(), text) != entry.names.end();
    if (named || entry.digest == text) return entry.file;
  }
  return plain_error(kFind, text, "no such file, name or digest", "rootlet data list");
}

int verify(const Request& request) {
  const DataStore store = open_store(request);
  std::vector<std::string> wanted = request.files;
  if (wanted.empty()) {
    const auto entries = store.list();
    if (!entries.ok()) return fail(entries.error());
    for (const auto& entry : entries.value()) wanted.push_back(entry.file);
  }
  bool sound = true;
  for (const std::string& text : wanted) {
    const auto file = file_of(store, text);
    if (!file.ok()) return fail(file.error());
    Bar bar("verify", request.quiet);
    const auto checked = check_whole(file.value(), bar.teller(text));
    if (checked.ok()) {
      if (!request.quiet) std::printf("%s: sound\n", printable(text).c_str());
    } else {
      print_error(checked.error());
      if (checked.error().code != 0) return 125;
      sound = false;
    }
  }
  return sound ? 0 : 1;
}

// The digests that these images name in [data].
Result<std::set<std::string>> digests_named_by(const std::vector<std::string>& images) {
  std::set<std::string> digests;
  for (const std::string& image : images) {
    if (const auto release = TRY(read_release(image)); release) {
      for (const auto* pins : {&release->tools, &release->data}) {
        for (const Release::Pin& pin : *pins) digests.insert(pin.digest);
      }
      continue;
    }
    Source source = TRY(open_source(image));
    for (const Policy::Data& data : TRY(read_policy(source)).data) digests.insert(data.digest);
  }
  return digests;
}

// Which go: what was not used for so long; then, until the rest is small
// enough, what was not used for the longest time.
std::vector<DataStore::Entry> choose(std::vector<DataStore::Entry> entries, const Request& request,
                                     const std::set<std::string>& kept) {
  std::erase_if(entries, [&](const auto& entry) { return kept.contains(entry.digest); });
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.used < b.used; });
  std::uint64_t total = 0;
  for (const auto& entry : entries) total += entry.on_disk;
  const std::int64_t before = std::time(nullptr) - std::int64_t{request.unused_for} * 86400;
  std::vector<DataStore::Entry> chosen;
  for (const auto& entry : entries) {
    const bool old = request.unused_for >= 0 && entry.used <= before;
    const bool large = request.max_size > 0 && total > request.max_size;
    if (!old && !large) continue;
    total -= entry.on_disk;
    chosen.push_back(entry);
  }
  return chosen;
}

int collect(const Request& request) {
  if (request.unused_for < 0 && request.max_size == 0) {
    return fail(plain_error("collect garbage", "", "by what?",
                            "--unused-for DAYS, --max-size SIZE, or both"));
  }
  DataStore store = open_store(request);
  store.sweep();
  const auto kept = digests_named_by(request.keep);
  if (!kept.ok()) return fail(kept.error());
  auto entries = store.list();
  if (!entries.ok()) return fail(entries.error());
  for (const auto& entry : choose(std::move(entries).value(), request, kept.value())) {
    bool gone = !entry.held;
    if (gone && !request.dry_run) {
      const auto removed = store.remove(entry);
      if (!removed.ok()) return fail(removed.error());
      gone = removed.value();
    }
    if (request.quiet) continue;
    std::printf("%s %s %s (%.1f MiB)\n",
                !gone ? "in use, kept:" : (request.dry_run ? "would remove" : "removed"),
                entry.digest.c_str(), printable(joined_names(entry)).c_str(),
                static_cast<double>(entry.on_disk) / (1 << 20));
  }
  return 0;
}

}  // namespace

int data_verb(int argc, char** argv) {
  CLI::App app("Images of data, known by their digest.", "rootlet data");
  app.require_subcommand(1);
  app.footer(kExamples);
  Request request;
  const auto common = [&](CLI::App* verb, bool json) {
    verb->add_option("--store", request.directory, "another store than your own");
    if (json) verb->add_flag("--json", request.json, "as JSON");
    verb->add_flag("-q,--quiet", request.quiet, "no progress and no summary");
  };
  CLI::App* adds = app.add_subcommand("add", "put images into your store, sealed");
  adds->add_option("FILE", request.files, "a squashfs or an AppImage")->required();
  adds->add_option("--name", request.name, "its name in the store [the file's]");
  common(adds, true);
  CLI::App* lists = app.add_subcommand("list", "what is in your store");
  common(lists, true);
  CLI::App* finds = app.add_subcommand("find", "where a run of IMAGE would find its data, and why");
  finds->add_option("IMAGE", request.files, "whose policy names data")->required()->expected(1);
  finds->add_option("--data-path", request.places, "look here first")->allow_extra_args(false);
  common(finds, true);
  CLI::App* verifies = app.add_subcommand("verify", "read all of an image, and so check it");
  verifies->add_option("WHAT", request.files, "a file, a name or a digest [all of the store]");
  common(verifies, false);
  CLI::App* collects = app.add_subcommand("gc", "remove from your store what nobody uses");
  collects->add_option("--unused-for", request.unused_for, "DAYS without a run")
      ->check(CLI::Range(0, 36500));
  collects->add_option("--max-size", request.max_size, "and more until no more than SIZE is left")
      ->transform(CLI::AsSizeValue(false));
  collects->add_option("--keep", request.keep, "never what IMAGE, or a release, names")
      ->allow_extra_args(false);
  collects->add_flag("--dry-run", request.dry_run, "only say what would go");
  common(collects, false);
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  if (adds->parsed()) return add(request);
  if (lists->parsed()) return list(request);
  if (finds->parsed()) return find(request);
  return verifies->parsed() ? verify(request) : collect(request);
}

}  // namespace rootlet
