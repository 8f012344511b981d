// SPDX-License-Identifier: MIT
#include "launcher/records/crate.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "launcher/file_digest.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::records {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWrite = "write the crate";
constexpr const char* kProfile = "https://w3id.org/ro/wfrun/process/0.5";
constexpr const char* kCrate = "https://w3id.org/ro/crate/1.1";
constexpr const char* kEnvironment = "https://w3id.org/ro/terms/workflow-run#environment";

Json reference(const std::string& id) { return {{"@id", id}}; }

// RO-Crate 1.1 wants one value where there is one.
Json one_or_all(const Json& list) { return list.size() == 1 ? list.front() : list; }

// "%" and what a URI cannot hold, as %XX (RFC 3986, 2.1).
std::string uri_path(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

// As the profile wants it: milliseconds, and an offset in numbers.
std::string time_text(const std::string& time) {
  return time.size() < 23 ? time : time.substr(0, 23) + "+00:00";
}

class Crate {
 public:
  Crate(const CrateRequest& request, std::vector<std::string>& left_out)
      : request_(request), left_out_(left_out) {}

  Status add(const Record& record, std::size_t number) {
    const Json& json = record.json;
    const std::string id = text_at(json, "id");
    const std::string action = "#run-" + id;
    const std::string file = "records/" + std::to_string(number) + ".json";
    TRY(put(record, file));
    entity({{"@id", file},
            {"@type", "File"},
            {"name", "record of run " + id},
            {"encodingFormat", "application/json"},
            {"about", reference(action)}});
    parts_.push_back(reference(file));

    Json run{{"@id", action}, {"@type", "CreateAction"}};
    run["name"] = "run of " + tool_name(json);
    run["description"] = description(json);
    run["instrument"] = reference(tool(json));
    run["agent"] = reference(agent(json));
    if (!text_at(json, "start").empty()) run["startTime"] = time_text(text_at(json, "start"));
    if (!text_at(json, "end").empty()) run["endTime"] = time_text(text_at(json, "end"));
    run["actionStatus"] = went_well(json) ? "http://schema.org/CompletedActionStatus"
                                          : "http://schema.org/FailedActionStatus";
    if (!went_well(json)) run["error"] = ending(json);
    run["object"] = files(json, "inputs", "stdin");
    for (const Json& image : data_images(json)) run["object"].push_back(image);
    run["result"] = files(json, "outputs", "stdout");
    run["environment"] = variables(json, id);
    // A run that names no output has this one all the same.
    if (run["result"].empty()) run["result"].push_back(reference(file));
    for (const char* list : {"object", "result", "environment"}) {
      run[list] = one_or_all(run[list]);
      if (run[list].empty()) run.erase(list);
    }
    entity(run);
    mentions_.push_back(reference(action));
    last_ = std::max(last_, text_at(json, "end"));
    return Done{};
  }

  Status finish() {
    Json graph = Json::array();
    graph.push_back({{"@id", "ro-crate-metadata.json"},
                     {"@type", "CreativeWork"},
                     {"conformsTo", reference(kCrate)},
                     {"about", reference("./")}});
    graph.push_back({{"@id", "./"},
                     {"@type", "Dataset"},
                     {"name", request_.name},
                     {"description", "Runs of packed tools, as Rootlet has recorded them."},
                     {"datePublished", last_.empty() ? "1970-01-01" : last_.substr(0, 10)},
                     {"license", licence()},
                     {"conformsTo", reference(kProfile)},
                     {"hasPart", one_or_all(parts_)},
                     {"mentions", one_or_all(mentions_)},
                     {"author", one_or_all(authors_)}});
    graph.push_back({{"@id", kProfile},
                     {"@type", "CreativeWork"},
                     {"name", "Process Run Crate"},
                     {"version", "0.5"}});
    for (const auto& [id, one] : entities_) graph.push_back(one);
    const Json all{{"@context", Json::array({std::string(kCrate) + "/context",
                                             Json{{"environment", kEnvironment}}})},
                   {"@graph", graph}};
    return write("ro-crate-metadata.json",
                 all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }

 private:
  void entity(const Json& one) { entities_.emplace(text_at(one, "@id"), one); }

  Json licence() {
    const std::string& given = request_.licence;
    const std::string text =
        given.empty() ? "not stated; see the licences of the tools and data named here" : given;
    const std::string id = given.starts_with("http") ? given : "#licence";
    entity({{"@id", id},
            {"@type", "CreativeWork"},
            {"name", text},
            {"description", "the licence of this crate: " + text}});
    return reference(id);
  }

  Status write(const std::string& file, const std::string& text) const {
    const std::string path = request_.directory + "/" + file;
    os::Fd fd = TRY(os::open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0666));
    return os::write_all(fd.get(), text, kWrite, path);
  }

  Status put(const Record& record, const std::string& file) const {
    std::error_code failed;
    fs::create_directories(request_.directory + "/records", failed);
    return write(file, record.json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  static std::string tool_name(const Json& json) {
    const std::string name = text_at(object_at(json, "tool"), "name");
    if (!name.empty()) return name;
    const std::string file = text_at(root_image(json), "file");
    return file.empty() ? "a tool" : file.substr(file.rfind('/') + 1);
  }

  static std::string description(const Json& json) {
    std::string words;
    for (const std::string& word : texts_at(json, "argv"))
      words += (words.empty() ? "" : " ") + word;
    return words.empty() ? "a run that did not begin" : words;
  }

  std::string tool(const Json& json) {
    const Json& known = object_at(json, "tool");
    const std::string digest = digest_of(root_image(json)), url = text_at(known, "url");
    const std::string version = text_at(known, "version");
    const std::string id = (url.starts_with("http") ? url : "") + "#tool-" +
                           (digest.empty() ? uri_path(tool_name(json)) : digest.substr(7));
    Json one{{"@id", id}, {"@type", "SoftwareApplication"}, {"name", tool_name(json)}};
    if (!version.empty()) one["softwareVersion"] = version;
    if (!url.empty()) one["url"] = url;
    if (!text_at(known, "licence").empty()) one["license"] = text_at(known, "licence");
    if (!digest.empty()) one["identifier"] = digest;
    one["softwareRequirements"] = "Rootlet " + text_at(json, "rootlet");
    entity(one);
    return id;
  }

  std::string agent(const Json& json) {
    const std::string user = text_at(object_at(json, "host"), "user");
    const std::string id = user.empty() ? "#somebody" : "#user-" + uri_path(user);
    entity({{"@id", id}, {"@type", "Person"}, {"name", user.empty() ? "not recorded" : user}});
    if (std::find(authors_.begin(), authors_.end(), reference(id)) == authors_.end()) {
      authors_.push_back(reference(id));
    }
    return id;
  }

  Json variables(const Json& json, const std::string& run) {
    Json list = Json::array();
    for (const auto& [name, value] : object_at(json, "environment").items()) {
      if (!value.is_string()) continue;
      const std::string id = "#variable-" + uri_path(name) + "-" + run;
      entity({{"@id", id}, {"@type", "PropertyValue"}, {"name", name}, {"value", value}});
      list.push_back(reference(id));
    }
    return list;
  }

  // Far too large to be copied: what names them is their digest.
  std::vector<Json> data_images(const Json& json) {
    std::vector<Json> list;
    for (const Json& image : list_at(json, "images")) {
      const std::string digest = digest_of(image), role = text_at(image, "role");
      if (role == "root" || digest.empty()) continue;
      const std::string id = "#image-" + digest.substr(7);
      const std::string name = text_at(image, "name"), file = text_at(image, "file");
      entity({{"@id", id},
              {"@type", "CreativeWork"},
              {"name", name.empty() ? file.substr(file.rfind('/') + 1) : name},
              {"identifier", digest},
              {"description", "an image of data, shown at " + text_at(image, "path")}});
      list.push_back(reference(id));
    }
    return list;
  }

  Json files(const Json& json, const char* list, const char* stream) {
    Json found = Json::array();
    for (const Json& one : list_at(json, list)) found.push_back(reference(add_file(json, one)));
    const Json& standard = object_at(json, stream);
    if (!standard.empty()) found.push_back(reference(add_file(json, standard)));
    return found;
  }

  // The file itself, where it still is what the record says; else what it was.
  std::string add_file(const Json& json, const Json& file) {
    const std::string path = text_at(file, "path"), digest = text_at(file, "sha256");
    const std::string name = path.substr(path.rfind('/') + 1);
    const std::string id = "files/" + digest.substr(0, 16) + "/" + uri_path(name);
    const std::string from = path.starts_with('/') ? path : text_at(json, "directory") + "/" + path;
    if (digest.empty() || !copy(from, digest, name)) {
      const std::string gone = digest.empty() ? "#file-" + uri_path(path) : "#sha256-" + digest;
      entity({{"@id", gone},
              {"@type", "CreativeWork"},
              {"name", path},
              {"identifier", digest.empty() ? "unknown" : "sha256:" + digest}});
      if (request_.copy_files) left_out_.push_back(path);
      return gone;
    }
    if (!entities_.contains(id)) parts_.push_back(reference(id));
    entity({{"@id", id},
            {"@type", "File"},
            {"name", path},
            {"identifier", "sha256:" + digest},
            {"contentSize", std::to_string(number_at(file, "size"))},
            {"encodingFormat", "application/octet-stream"}});
    return id;
  }

  bool copy(const std::string& from, const std::string& digest, const std::string& name) const {
    if (!request_.copy_files) return false;
    const std::string directory = request_.directory + "/files/" + digest.substr(0, 16);
    std::error_code failed;
    fs::create_directories(directory, failed);
    const std::string to = directory + "/" + name;
    fs::copy_file(from, to, fs::copy_options::skip_existing, failed);
    const os::Fd copied(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
    const auto sum = sha256_of(copied.get(), to);
    if (!failed && sum.ok() && sum.value() == digest) return true;
    fs::remove(to, failed);
    fs::remove(directory, failed);
    return false;
  }

  const CrateRequest& request_;
  std::vector<std::string>& left_out_;
  std::map<std::string, Json> entities_;
  Json parts_ = Json::array(), mentions_ = Json::array(), authors_ = Json::array();
  std::string last_;
};

}  // namespace

Status write_crate(const std::vector<Record>& records, const CrateRequest& request,
                   std::vector<std::string>& left_out) {
  std::error_code failed;
  fs::create_directories(request.directory, failed);
  if (failed || !fs::is_empty(request.directory, failed) || failed) {
    return plain_error(kWrite, request.directory,
                       failed ? failed.message() : "the directory is not empty",
                       "name a new one with -o");
  }
  Crate crate(request, left_out);
  std::size_t number = 0;
  for (const Record& record : records) TRY(crate.add(record, ++number));
  return crate.finish();
}

}  // namespace rootlet::records
