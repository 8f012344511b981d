// SPDX-License-Identifier: MIT
#include "launcher/mime_package.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "launcher/desktop_entry.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kNamespace = "http://www.freedesktop.org/standards/shared-mime-info";
constexpr std::size_t kDeepest = 10;
constexpr int kUsualWeight = 50;  // of a pattern; more would go before those of the system

constexpr std::array<std::string_view, 15> kElements = {
    "mime-info", "mime-type",    "comment",  "acronym",   "expanded-acronym",
    "icon",      "generic-icon", "glob",     "magic",     "match",
    "alias",     "sub-class-of", "root-XML", "treemagic", "treematch"};
constexpr std::array<std::string_view, 18> kAttributes = {
    "type",     "xml:lang",   "name",       "pattern",   "weight",       "case-sensitive",
    "priority", "value",      "mask",       "offset",    "namespaceURI", "localName",
    "path",     "match-case", "executable", "non-empty", "mimetype",     "id"};

template <typename List>
bool is_in(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        if (static_cast<unsigned char>(letter) >= 0x20 || letter == '\t' || letter == '\n') {
          out += letter;
        }
    }
  }
  return out;
}

bool is_type(std::string_view type) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
  };
  const std::size_t slash = type.find('/');
  if (slash == type.npos || slash == 0 || slash + 1 == type.size() || type.size() > 200) {
    return false;
  }
  const auto good = [&](std::string_view part) {
    return part.front() != '.' && std::all_of(part.begin(), part.end(), plain);
  };
  return good(type.substr(0, slash)) && good(type.substr(slash + 1));
}

// It says something about the name: a letter or a digit.
bool is_specific(std::string_view pattern) {
  return std::any_of(pattern.begin(), pattern.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

struct Element {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;

  std::string attribute(const std::string& wanted) const {
    for (const auto& [key, value] : attributes) {
      if (key == wanted) return value;
    }
    return {};
  }
};

class Writer {
 public:
  explicit Writer(std::vector<std::string>& notes) : notes_(notes) {}

  Result<std::string> write(const std::vector<MimeElement>& elements) {
    for (const MimeElement& element : elements) {
      if (element.what == "broken") {
        return plain_error("read the MIME package", {}, "no sound XML: " + element.value);
      }
      if (!is_utf8(element.value)) return plain_error("read the MIME package", {}, "no UTF-8");
      if (element.what == "open") open(element.name);
      if (element.what == "attribute" && pending_) {
        pending_->attributes.emplace_back(element.name, element.value);
      }
      if (element.what == "text") text(element.value);
      if (element.what == "close") close();
    }
    if (types_ == 0 || !open_.empty()) {
      return plain_error("read the MIME package", {}, "it names no type");
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + out_ + "\n";
  }

 private:
  void open(const std::string& name) {
    settle();
    pending_ = Element{name, {}};
  }

  // Decides about the element that was opened last, once its attributes are known.
  void settle() {
    if (!pending_) return;
    const Element element = std::move(*pending_);
    pending_.reset();
    const bool inside = open_.empty() || open_.back();
    const bool good = inside && open_.size() < kDeepest && is_wanted(element);
    open_.push_back(good);
    names_.push_back(element.name);
    if (!good) return;
    if (element.name == "mime-type") ++types_;
    out_ += "<" + element.name;
    if (element.name == "mime-info") out_ += " xmlns=\"" + std::string(kNamespace) + "\"";
    for (const auto& [key, value] : element.attributes) {
      if (!is_in(kAttributes, key)) continue;
      const bool heavy = key == "weight" && std::atoi(value.c_str()) > kUsualWeight;
      out_ += " " + key + "=\"" + (heavy ? std::to_string(kUsualWeight) : escaped(value)) + "\"";
    }
    out_ += ">";
  }

  bool is_wanted(const Element& element) {
    if ((element.name == "mime-info") != open_.empty()) return false;
    if (!is_in(kElements, element.name)) {
      if (element.name.ends_with("-deleteall")) notes_.push_back(element.name + " is left out");
      return false;
    }
    const bool has_type =
        element.name == "mime-type" || element.name == "alias" || element.name == "sub-class-of";
    if (has_type && !is_type(element.attribute("type"))) {
      notes_.push_back("a type of no sound form is left out");
      return false;
    }
    if (element.name == "glob" && !is_specific(element.attribute("pattern"))) {
      notes_.push_back("a pattern that matches anything is left out");
      return false;
    }
    return true;
  }

  void text(const std::string& value) {
    settle();
    if (!open_.empty() && open_.back()) out_ += escaped(value);
  }

  void close() {
    settle();
    if (open_.empty()) return;
    if (open_.back()) out_ += "</" + names_.back() + ">";
    open_.pop_back();
    names_.pop_back();
  }

  std::vector<std::string>& notes_;
  std::string out_;
  std::optional<Element> pending_;
  std::vector<bool> open_;  // of each that is open: it is written
  std::vector<std::string> names_;
  std::size_t types_ = 0;
};

}  // namespace

Result<std::string> mime_package_text(const ImageResource& package,
                                      std::vector<std::string>& notes) {
  return Writer(notes).write(package.elements);
}

}  // namespace rootlet
