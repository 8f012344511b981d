// SPDX-License-Identifier: MIT
#include "packaging/bill_of_materials.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace rootlet::packaging {
namespace {

// As package URLs want it: github.com/package-url/purl-spec.
std::string encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (kPlain.find(letter) != std::string_view::npos) {
      out += letter;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

// A name of a licence may be anything: an SPDX identifier is not claimed.
nlohmann::ordered_json licence_json(const std::string& licence) {
  constexpr std::size_t kLongest = 200;  // some put the whole text there
  return {{{"license", {{"name", licence.substr(0, kLongest)}}}}};
}

nlohmann::ordered_json component_json(const Component& component, const std::string& reference) {
  nlohmann::ordered_json json;
  json["type"] = "library";
  json["bom-ref"] = reference;
  json["name"] = component.name;
  if (!component.version.empty()) json["version"] = component.version;
  if (!component.licence.empty()) json["licenses"] = licence_json(component.licence);
  json["purl"] = component.url();
  auto& properties = json["properties"] = nlohmann::ordered_json::array();
  properties.push_back({{"name", "rootlet:record"}, {"value", "/" + component.record}});
  if (!component.source.empty()) {
    properties.push_back({{"name", "rootlet:source"}, {"value", component.source}});
  }
  return json;
}

}  // namespace

std::string Component::url() const {
  std::string out = "pkg:" + type + "/";
  if (!distribution.empty()) out += encoded(distribution) + "/";
  out += encoded(name);
  if (!version.empty()) out += "@" + encoded(version);
  if (!architecture.empty()) {
    out += (type == "conda" ? "?subdir=" : "?arch=") + encoded(architecture);
  }
  return out;
}

std::string bill_of_materials(const std::vector<Component>& components, const Policy& policy) {
  nlohmann::ordered_json json;
  json["bomFormat"] = "CycloneDX";
  json["specVersion"] = "1.5";
  json["version"] = 1;
  auto& metadata = json["metadata"];
  metadata["tools"]["components"] = {
      {{"type", "application"}, {"name", "rootlet"}, {"version", ROOTLET_VERSION}}};
  auto& tool = metadata["component"];
  tool["type"] = "application";
  tool["bom-ref"] = "rootlet:image";
  tool["name"] = policy.name;
  if (!policy.version.empty()) tool["version"] = policy.version;
  if (!policy.licence.empty()) tool["licenses"] = licence_json(policy.licence);
  auto& list = json["components"] = nlohmann::ordered_json::array();
  std::map<std::string, int> seen;  // the same package may be there twice
  std::vector<std::string> references;
  for (const Component& component : components) {
    std::string reference = component.url();
    if (const int before = seen[reference]++; before > 0) {
      reference += "#" + std::to_string(before + 1);
    }
    references.push_back(reference);
    list.push_back(component_json(component, reference));
  }
  json["dependencies"] = {{{"ref", "rootlet:image"}, {"dependsOn", references}}};
  // A name need not be UTF-8; JSON has to be.
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet::packaging
