// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "packaging/bill_of_materials.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::uint64_t kMaximumRecord = 64 << 20;

std::string text_of(const Node& node) {
  if (!node.is_file() || node.size > kMaximumRecord) return {};
  const auto content = node.content.open();
  std::string text(node.size, '\0');
  if (!content.ok() || !content.value().read_at(0, text.data(), text.size()).ok()) return {};
  return text;
}

using Fields = std::map<std::string, std::string>;

// Paragraphs of "Name: value" lines, as dpkg, Python and R write them; of a
// field that goes on over lines its text on one.
std::vector<Fields> paragraphs(const std::string& text) {
  std::vector<Fields> out;
  Fields fields;
  std::string last;
  std::istringstream lines(text);
  const auto end_paragraph = [&] {
    if (!fields.empty()) out.push_back(std::move(fields));
    fields.clear();
    last.clear();
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      end_paragraph();
    } else if (line[0] == ' ' || line[0] == '\t') {
      const std::size_t begin = line.find_first_not_of(" \t");  // none: a line of blanks
      if (!last.empty() && begin != std::string::npos) fields[last] += " " + line.substr(begin);
    } else if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
      last = line.substr(0, colon);
      const std::size_t value = line.find_first_not_of(" \t", colon + 1);
      fields.try_emplace(last, value == std::string::npos ? "" : line.substr(value));
    }
  }
  end_paragraph();
  return out;
}

class Search {
 public:
  explicit Search(const Tree& tree) : tree_(tree) {
    for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
      const auto place = tree.resolve(path);
      if (!place.ok()) continue;
      std::istringstream lines(text_of(*place.value().node));
      for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("ID=")) continue;
        distribution_ = line.substr(3);
        std::erase(distribution_, '"');
      }
      break;
    }
  }

  std::vector<Component> run() {
    tree_.each([this](const std::string& path, const NodePtr& node) {
      if (node->is_file()) look_at(path, *node);
    });
    std::sort(found_.begin(), found_.end(), [](const Component& a, const Component& b) {
      return std::pair(a.url(), a.record) < std::pair(b.url(), b.record);
    });
    return std::move(found_);
  }

 private:
  void look_at(const std::string& path, const Node& node) {
    const std::string name = name_of(path);
    const std::string parent = name_of(parent_of("/" + path));
    if (path == "var/lib/dpkg/status" || path.starts_with("var/lib/dpkg/status.d/")) {
      if (!name.ends_with(".md5sums")) read_dpkg(path, node);
    } else if (path == "lib/apk/db/installed" || path == "usr/lib/apk/db/installed") {
      read_apk(path, node);
    } else if (name == "METADATA" && parent.ends_with(".dist-info")) {
      read_python(path, node);
    } else if ((name == "PKG-INFO" && parent.ends_with(".egg-info")) ||
               name.ends_with(".egg-info")) {
      read_python(path, node);
    } else if (name == "DESCRIPTION" && path.find("library/") != std::string::npos) {
      read_r(path, node);
    } else if (parent == "conda-meta" && name.ends_with(".json")) {
      read_conda(path, node);
    }
  }

  void add(Component component) {
    if (!component.name.empty()) found_.push_back(std::move(component));
  }

  void read_dpkg(const std::string& path, const Node& node) {
    for (Fields& fields : paragraphs(text_of(node))) {
      // "install ok installed"; status.d has none. What is only configured is gone.
      const std::string& status = fields["Status"];
      if (!status.empty() && !status.ends_with(" installed")) continue;
      std::string source = fields["Source"];
      source = source.substr(0, source.find(' '));
      add({"deb", fields["Package"], fields["Version"], fields["Architecture"], "", source, path,
           distribution_.empty() ? "debian" : distribution_});
    }
  }

  // One letter a field: wiki.alpinelinux.org, "Apk spec".
  void read_apk(const std::string& path, const Node& node) {
    for (Fields& fields : paragraphs(text_of(node))) {
      add({"apk", fields["P"], fields["V"], fields["A"], fields["L"], fields["o"], path,
           distribution_.empty() ? "alpine" : distribution_});
    }
  }

  void read_python(const std::string& path, const Node& node) {
    const std::string text = text_of(node);
    auto records = paragraphs(text.substr(0, text.find("\n\n")));
    if (records.empty()) return;
    Fields& fields = records.front();
    std::string licence = fields["License-Expression"];
    if (licence.empty()) licence = fields["License"];
    // PEP 503: one spelling for each name.
    std::string name;
    for (const char letter : fields["Name"]) {
      const bool separator = letter == '-' || letter == '_' || letter == '.';
      if (!separator) name += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      if (separator && !name.ends_with('-')) name += '-';
    }
    add({"pypi", name, fields["Version"], "", licence, "", path, ""});
  }

  void read_r(const std::string& path, const Node& node) {
    auto records = paragraphs(text_of(node));
    if (records.empty() || !records.front().contains("Package")) return;
    Fields& fields = records.front();
    add({"cran", fields["Package"], fields["Version"], "", fields["License"], "", path, ""});
  }

  void read_conda(const std::string& path, const Node& node) {
    const auto json = nlohmann::json::parse(text_of(node), nullptr, false);
    if (!json.is_object()) return;
    const auto text = [&](const char* key) {
      return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
    };
    add({"conda", text("name"), text("version"), text("subdir"), text("license"), "", path, ""});
  }

  const Tree& tree_;
  std::string distribution_;
  std::vector<Component> found_;
};

}  // namespace

std::vector<Component> find_components(const Tree& tree) { return Search(tree).run(); }

}  // namespace rootlet::packaging
