// SPDX-License-Identifier: MIT
#include "packaging/mount_points.hpp"

#include <array>

namespace rootlet::packaging {
namespace {

struct Point {
  std::string_view path;
  unsigned mode;
};
constexpr std::array kDirectories = std::to_array<Point>({
    {"/proc", 0555},
    {"/dev", 0755},
    {"/sys", 0555},
    {"/tmp", 01777},
    {"/var/tmp", 01777},
    {"/run", 0755},
    {"/home", 0755},
    {"/root", 0700},
    {"/mnt", 0755},
    {"/etc", 0755},
});

// "UTC" in the format of tzfile(5), version 1: a header, one type of local
// time (offset 0, no DST, name at 0) and the name.
std::string utc_zone() {
  std::string zone = "TZif";
  zone += std::string(16, '\0');                  // version, reserved
  zone += std::string(4 * 3, '\0');               // isutcnt, isstdcnt, leapcnt
  zone += std::string(4, '\0');                   // timecnt
  zone += std::string({'\0', '\0', '\0', '\1'});  // typecnt
  zone += std::string({'\0', '\0', '\0', '\4'});  // charcnt
  zone += std::string(6, '\0');                   // the type: offset, DST, name
  zone += std::string("UTC") + '\0';
  return zone;
}

// Whether a path ends at something that is there with nothing of the host's.
bool leads_to_file(const Tree& tree, std::string_view path) {
  auto place = tree.resolve(path);
  return place.ok() && place.value().node->is_file();
}

Status add_directory(Tree& tree, const Point& point, std::int64_t time) {
  auto there = tree.resolve(point.path);
  if (there.ok() && there.value().node->is_directory()) return Done{};
  const NodePtr exact = tree.find(point.path);
  // A dangling symlink, as /var/tmp -> /run/x: its target is made inside.
  auto made = tree.make_directories(point.path, time);
  if (!made.ok() || !made.value().node->is_directory()) {
    return plain_error("add the mount points", point.path, "the image has no directory there",
                       "make it a directory in the source");
  }
  if (!exact) made.value().node->mode = point.mode;
  return Done{};
}

Status add_file(Tree& tree, const std::string& path, std::int64_t time) {
  if (leads_to_file(tree, path)) return Done{};
  // Gone, or a symlink into what will be a mount (/run, /proc): a file of its
  // own, so that a bind has something to lie on.
  const auto parent = TRY(tree.make_directories(parent_of(path), time));
  NodePtr& slot = parent.node->children[name_of(path)];
  if (slot && !slot->is_symlink()) {
    return plain_error("add the mount points", path, "neither a file nor a symlink",
                       "make it a file in the source");
  }
  slot = make_file("", 0644, time);
  return Done{};
}

Status add_localtime(Tree& tree, std::int64_t time) {
  const std::string path = "/etc/localtime";
  auto zone = tree.resolve(path);
  const auto parent = TRY(tree.make_directories("/etc", time));
  NodePtr& slot = parent.node->children[name_of(path)];
  if (slot && slot->is_file()) return Done{};
  NodePtr file = make_file(utc_zone(), 0644, time);
  if (slot && zone.ok() && zone.value().node->is_file()) {
    *file = *zone.value().node;  // the zone's bytes under a name of their own
  }
  slot = std::move(file);
  return Done{};
}

}  // namespace

Status add_mount_points(Tree& tree, std::int64_t time) {
  for (const Point& point : kDirectories) TRY(add_directory(tree, point, time));
  for (const char* path : {"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf"}) {
    TRY(add_file(tree, path, time));
  }
  return add_localtime(tree, time);
}

}  // namespace rootlet::packaging
