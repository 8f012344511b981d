// SPDX-License-Identifier: MIT
#include "launcher/aliases.hpp"

#include <catch2/catch.hpp>

#include "launcher/run_options.hpp"

using namespace rootlet;
using Words = std::vector<std::string>;

namespace {

// What words mean, as "name=value name=value".
std::string meaning(const Words& words) {
  Words all = words;
  all.insert(all.end(), {"IMAGE", "-e"});
  set_option_prefix("--");
  auto line = parse_run(all);
  set_option_prefix("--rootlet-");
  if (!line.ok()) return "error: " + line.error().message() + " | " + line.error().hint;
  REQUIRE(line.value().image == "IMAGE");
  REQUIRE(line.value().arguments == Words{"-e"});  // the tool's
  std::string text;
  for (const Setting& setting : line.value().options.given) {
    text += (text.empty() ? "" : " ") + setting.name;
    if (!setting.value.empty()) text += "=" + setting.value;
  }
  return text;
}

}  // namespace

TEST_CASE("each of Apptainer's spellings means the option of ours") {
  const std::pair<Words, const char*> kTable[] = {
      {{"-B", "/a:/b:ro"}, "bind=/a:/b:ro"},
      {{"--bind", "/a,/b:/c"}, "bind=/a,/b:/c"},
      {{"--bind=/a"}, "bind=/a"},
      {{"-B/a"}, "bind=/a"},
      {{"-v", "/a"}, "bind=/a"},
      {{"--volume", "/a"}, "bind=/a"},
      {{"-e"}, "clean-env"},
      {{"--cleanenv"}, "clean-env"},
      {{"-c"}, "profile=contained"},
      {{"--contain"}, "profile=contained"},
      {{"-C"}, "profile=isolated"},
      {{"--containall"}, "profile=isolated"},
      {{"-eC"}, "clean-env profile=isolated"},
      {{"-H", "/h"}, "home=/h"},
      {{"--home", "/h"}, "home=/h"},
      {{"--no-home"}, "home=none"},
      {{"--pwd", "/w"}, "cwd=/w"},
      {{"--cwd", "/w"}, "cwd=/w"},
      {{"-W", "/scratch"}, "tmp=/scratch"},
      {{"--workdir=/scratch"}, "tmp=/scratch"},
      {{"-S", "/data"}, "writable=/data"},
      {{"--scratch", "/data"}, "writable=/data"},
      {{"-o", "/layer"}, "overlay=/layer"},
      {{"--overlay", "/layer"}, "overlay=/layer"},
      {{"--writable-tmpfs"}, "overlay=tmpfs"},
      {{"--nv"}, "nv"},
      {{"--rocm"}, "rocm"},
      {{"-p"}, "pid=private"},
      {{"--pid"}, "pid=private"},
      {{"-i"}, "ipc=private"},
      {{"--ipc"}, "ipc=private"},
      {{"--ipc", "host"}, "ipc=host"},
      {{"-n"}, "net=none"},
      {{"--net"}, "net=none"},
      {{"--net", "host"}, "net=host"},
      {{"--net=none"}, "net=none"},
      {{"--network", "none"}, "net=none"},
      {{"--uts"}, "uts=private"},
      {{"--uts", "host"}, "uts=host"},
      {{"--hostname", "node"}, "hostname=node"},
      {{"--env", "A=b"}, "env=A=b"},
      {{"--env-file", "f"}, "env-file=f"},
      {{"--mount", "type=bind,source=/a,destination=/b,ro"},
       "bind=type=bind,source=/a,destination=/b,ro"},
      {{"--unsquash"}, "mount=extract"},
      {{"-u", "--userns", "--no-init", "--no-privs", "--no-eval"}, ""},
      {{"--bind-args", "-e"}, "bind-args clean-env"},
      {{"--bind-args=rw"}, "bind-args=rw"},
      {{"--"}, ""},
  };
  for (const auto& [words, wanted] : kTable) {
    INFO(words[0] << " " << words.back());
    CHECK(meaning(words) == wanted);
  }
}

TEST_CASE("every alias names an option, and none of ours is hidden") {
  for (const Alias& alias : aliases()) {
    INFO(alias.spelled);
    const OptionRow* row = find_option(alias.name);
    REQUIRE(row != nullptr);
    if (alias.value) CHECK(row->needs_value());
    const bool own = alias.spelled.starts_with("--") && find_option(alias.spelled.substr(2));
    CHECK((!own || alias.spelled.substr(2) == alias.name));
  }
}

TEST_CASE("an option of Apptainer that cannot be had says what can") {
  for (const Foreign& foreign : foreign_options()) {
    INFO(foreign.spelled);
    CHECK(meaning({std::string(foreign.spelled)}).find(foreign.advice) != std::string::npos);
  }
  CHECK(meaning({"--containal"}).find("did you mean") != std::string::npos);
  CHECK(meaning({"-Z"}).find("no such option") != std::string::npos);
}
