// SPDX-License-Identifier: MIT
#include <set>

#include "examiner/jobs.hpp"
#include "examiner/patterns.hpp"

namespace rootlet::examiner {
namespace {

Error missing(const std::string& path) {
  return plain_error("read the image", "/" + path, "it is not in the image",
                     "`rootlet ls -R IMAGE` lists what is");
}

std::string without_slashes(std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// Of a path the part behind the directory `top`; false: it does not lie there.
bool lies_in(const std::string& path, const std::string& top, bool deep) {
  if (!top.empty() &&
      !(path.starts_with(top) && path.size() > top.size() + 1 && path[top.size()] == '/')) {
    return false;
  }
  return deep || path.find('/', top.empty() ? 0 : top.size() + 1) == path.npos;
}

Sink to(FrameWriter& out) {
  return [&out](std::string_view bytes) -> Status {
    out.put(Tag::content, bytes);
    return Done{};
  };
}

}  // namespace

Status list(Archive& archive, const Words& words, FrameWriter& out) {
  const bool deep = !words.empty() && words[0] == "deep";
  std::set<std::string> tops, files;
  if (words.size() > 1) {
    const Links links = TRY(read_links(archive));
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::string asked = without_slashes(words[i]);
      const std::string found = links.resolve(asked);
      // A link that leads nowhere is a name all the same.
      if (found.empty() && !asked.empty() && links.has(asked)) {
        files.insert(asked);
      } else if (found.empty() && !asked.empty() && asked != ".") {
        return missing(asked);
      } else {
        (found.empty() || links.kind(found) == 'd' ? tops : files).insert(found);
      }
    }
  } else {
    tops.insert("");
  }
  return archive.walk([&](const Member& member, Content&) -> Status {
    bool listed = files.count(member.path) != 0;
    for (const std::string& top : tops) listed = listed || lies_in(member.path, top, deep);
    if (listed) out.put(Tag::member, encode(member));
    return Done{};
  });
}

Status read(Archive& archive, const Words& words, FrameWriter& out) {
  const Links links = TRY(read_links(archive));
  for (const std::string& word : words) {
    const std::string asked = without_slashes(word);
    const std::string found = links.resolve(asked);
    if (found.empty()) return missing(asked);
    if (links.kind(found) == 'd') {
      return plain_error("read the image", "/" + asked, "a directory",
                         "`rootlet ls` lists it, `rootlet extract` unpacks it");
    }
    if (links.kind(found) != 'f') {
      return plain_error("read the image", "/" + asked, "not a regular file");
    }
    TRY(archive.walk([&](const Member& member, Content& content) -> Status {
      if (member.path != found || member.kind != 'f') return Done{};
      return content.read(to(out));
    }));
  }
  return Done{};
}

Status unpack(Archive& archive, const Words& words, FrameWriter& out) {
  return archive.walk([&](const Member& member, Content& content) -> Status {
    if (!is_wanted(words, member.path)) return Done{};
    out.put(Tag::member, encode(member));
    return member.kind == 'f' ? content.read(to(out)) : Status(Done{});
  });
}

}  // namespace rootlet::examiner
