// SPDX-License-Identifier: MIT
#include "packaging/appdir.hpp"

#include <catch2/catch.hpp>

#include "packaging/icon.hpp"

using namespace rootlet;
using namespace rootlet::packaging;

namespace {

Policy simple() {
  Policy policy;
  policy.name = "My Tool";
  policy.entrypoint = {"/usr/bin/tool"};
  return policy;
}

std::string text_of(const Tree& tree, const std::string& path) {
  const NodePtr node = tree.find(path);
  REQUIRE(node);
  std::string text(node->size, '\0');
  REQUIRE(node->content.open().value().read_at(0, text.data(), text.size()).ok());
  return text;
}

}  // namespace

TEST_CASE("a root becomes a valid AppDir with a policy the stub can read") {
  Tree tree;
  const Policy policy = simple();
  REQUIRE(add_appdir_parts(tree, {policy, "[tool]\n", "{}\n", "", 3}).ok());
  CHECK(tree.find("AppRun")->target == "usr/bin/tool");
  CHECK(text_of(tree, "My_Tool.desktop").find("Name=My Tool\nExec=My_Tool\nIcon=My_Tool\n") !=
        std::string::npos);
  CHECK(text_of(tree, "My_Tool.png").starts_with("\x89PNG"));
  CHECK(text_of(tree, ".DirIcon").starts_with("\x89PNG"));
  CHECK(text_of(tree, ".rootlet/NOTICE").find("LGPL-2.1") != std::string::npos);
  const auto read = decode_policy(text_of(tree, std::string(kPolicyPath)));
  REQUIRE(read.ok());
  CHECK(read.value().entrypoint == policy.entrypoint);
}

TEST_CASE("a packed tool has AppStream metadata, escaped, with a licence that is one") {
  Policy policy = simple();
  policy.name = "3d & <more>";
  policy.url = "https://example.org/?a=1&b=2";
  const std::string path = "usr/share/metainfo/io.rootlet.packed._3d____more_.appdata.xml";
  for (const auto& [licence, shown] :
       std::vector<std::pair<std::string, bool>>{{"MIT", true},
                                                 {"BSD-3-Clause AND MIT", true},
                                                 {"MIT OR", false},
                                                 {"MIT MIT", false},
                                                 {"AND MIT", false},
                                                 {"GPL", false},
                                                 {"", false}}) {
    Tree tree;
    policy.licence = licence;
    REQUIRE(add_appdir_parts(tree, {policy, "", "", "", 0}).ok());
    const std::string text = text_of(tree, path);
    INFO(licence);
    CHECK((text.find("<project_license>" + licence + "<") != std::string::npos) == shown);
    CHECK(text.find("<name>3d &amp; &lt;more&gt;</name>") != std::string::npos);
    CHECK(text.find("?a=1&amp;b=2</url>") != std::string::npos);
    CHECK(text.find("<binary>3d____more_</binary>") != std::string::npos);
  }
}

TEST_CASE("no metadata is put through a symlink, or beside the source's own desktop file") {
  Tree linked, own;
  REQUIRE(linked.put("usr", make_symlink("/elsewhere", 0)).ok());
  REQUIRE(own.put("x.desktop", make_file("[Desktop Entry]\nName=Mine\n", 0644, 0)).ok());
  REQUIRE(add_appdir_parts(linked, {simple(), "", "", "", 0}).ok());
  REQUIRE(add_appdir_parts(own, {simple(), "", "", "", 0}).ok());
  CHECK(linked.find("usr")->is_symlink());
  CHECK_FALSE(own.find("usr/share/metainfo"));
}

TEST_CASE("the source's own desktop file, icon and AppRun are kept") {
  Tree tree;
  REQUIRE(tree.put("AppRun", make_file("mine", 0755, 0)).ok());
  REQUIRE(tree.put("x.desktop", make_file("[Desktop Entry]\nName=Mine\n", 0644, 0)).ok());
  REQUIRE(tree.put(".DirIcon", make_file("icon", 0644, 0)).ok());
  Policy policy = simple();
  policy.own_apprun = true;
  REQUIRE(add_appdir_parts(tree, {policy, "", "", "", 0}).ok());
  CHECK(text_of(tree, "AppRun") == "mine");
  CHECK(text_of(tree, ".DirIcon") == "icon");
  CHECK_FALSE(tree.find("My_Tool.desktop"));
  CHECK(desktop_name(tree) == "Mine");
}

TEST_CASE("what a policy adds to its entry is noticed, since a symlink cannot carry it") {
  CHECK_FALSE(adds_to_entry(simple()));
  for (int what = 0; what < 5; ++what) {
    Policy policy = simple();
    if (what == 0) policy.env = {"A=b"};
    if (what == 1) policy.arguments = {"-h"};
    if (what == 2) policy.commands = {{"a", "/a"}};
    if (what == 3) policy.workdir = "/w";
    if (what == 4) policy.entrypoint.push_back("-x");
    CHECK(adds_to_entry(policy));
  }
}

TEST_CASE("a policy of commands alone has an AppRun too") {
  Policy policy = simple();
  policy.entrypoint.clear();
  policy.commands = {{"a", "/bin/a"}};
  Tree tree;
  REQUIRE(add_appdir_parts(tree, {policy, "", "", "", 0}).ok());
  CHECK(tree.find("AppRun")->target == "bin/a");
}

TEST_CASE("icons are the same for the same name and differ between names") {
  CHECK(make_icon("hmmer") == make_icon("hmmer"));
  CHECK(make_icon("hmmer") != make_icon("mafft"));
}

TEST_CASE("a name becomes one that can be a file's") {
  CHECK(file_name_of("ncbi-blast+ 2.12/x") == "ncbi-blast+_2.12_x");
  CHECK(file_name_of("../x") == "_.._x");
  CHECK(file_name_of("-rf") == "_-rf");
  CHECK(file_name_of("") == "_");
}
