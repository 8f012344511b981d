// SPDX-License-Identifier: MIT
#include "packaging/update_information.hpp"

#include <algorithm>

namespace rootlet::packaging {
namespace {

using Transport = UpdateInformation::Transport;

struct Form {
  std::string_view name;
  Transport transport;
  std::size_t fields;  // behind the name
};
constexpr Form kForms[] = {{"zsync", Transport::zsync, 1},
                           {"gh-releases-zsync", Transport::github, 4},
                           {"pling-v1-zsync", Transport::pling, 2},
                           {"gh-releases-direct", Transport::others, 4},
                           {"ocs-v1-appimagehub-direct", Transport::others, 2},
                           {"ocs-v1-appimagehub-zsync", Transport::others, 2},
                           {"bintray-zsync", Transport::ended, 4}};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> fields(1);
  for (const char c : text) {
    if (c == '|') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

bool is_url(const std::string& text) {
  for (const std::string_view scheme : {"http://", "https://", "file:///"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) return true;
  }
  return false;
}

std::string problem_of(const UpdateInformation& information, std::size_t wanted) {
  const auto& fields = information.fields;
  if (fields.size() != wanted) {
    return "it has " + std::to_string(fields.size()) + " fields behind its name, not " +
           std::to_string(wanted);
  }
  if (std::any_of(fields.begin(), fields.end(), [](const auto& field) { return field.empty(); })) {
    return "a field is empty";
  }
  if (information.transport == Transport::zsync && !is_url(fields[0])) {
    return "its URL begins with none of http://, https:// and file:///";
  }
  const bool globbed =
      information.transport == Transport::github || information.transport == Transport::pling;
  if (globbed && !fields.back().ends_with(".zsync")) return "its last field does not end in .zsync";
  return {};
}

}  // namespace

UpdateInformation read_update_information(std::string_view text) {
  UpdateInformation information;
  if (text.empty()) return information;
  information.transport = Transport::unknown;
  information.problem = "its form is unknown";
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
  });
  if (!plain) information.problem = "it holds blanks or control characters";
  std::vector<std::string> fields = split(text);
  for (const Form& form : kForms) {
    if (!plain || fields[0] != form.name) continue;
    information.transport = form.transport;
    information.fields.assign(fields.begin() + 1, fields.end());
    information.problem = problem_of(information, form.fields);
    if (form.transport == Transport::ended) information.problem = "that service ended in 2021";
  }
  return information;
}

std::string describe(const UpdateInformation& information) {
  const auto& fields = information.fields;
  if (!information.problem.empty()) return information.problem;
  switch (information.transport) {
    case Transport::none: return "none";
    case Transport::zsync: return "a zsync file at " + fields[0];
    case Transport::github:
      return "releases of github.com/" + fields[0] + "/" + fields[1] + ", " + fields[2];
    case Transport::pling: return "product " + fields[0] + " of pling.com";
    case Transport::others: return "a form that rootlet update does not read";
    case Transport::ended:
    case Transport::unknown: break;
  }
  return "unknown";
}

Status check_update_information(const std::string& text) {
  const UpdateInformation information = read_update_information(text);
  std::string problem = information.problem;
  if (information.transport == Transport::others)
    problem = "AppImageUpdate does not read this form";
  if (problem.empty()) return Done{};
  return plain_error("write the update information", text, problem,
                     "for example zsync|https://HOST/NAME.AppImage.zsync, or "
                     "gh-releases-zsync|USER|REPO|latest|NAME-*.AppImage.zsync");
}

}  // namespace rootlet::packaging
