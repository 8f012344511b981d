// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "runtime/run/make_plan.hpp"

using namespace rootlet;
using Words = std::vector<std::string>;

namespace {

Caller called(const std::string& argv0) {
  Caller caller;
  caller.argv0 = argv0;
  return caller;
}

Policy blast() {
  Policy policy;
  policy.commands = {{"blastn", "/usr/bin/blastn"}, {"blastp", "/usr/bin/blastp"}};
  policy.dispatch = "argument";
  return policy;
}

}  // namespace

TEST_CASE("the entry point gets its own path as argv[0], then its arguments, then the caller's") {
  Policy policy;
  policy.entrypoint = {"/usr/bin/java", "-jar", "/opt/x.jar"};
  policy.arguments = {"--help"};
  CHECK(choose_entry({}, policy, called("./x"), {"a"}).argv ==
        Words{"/usr/bin/java", "-jar", "/opt/x.jar", "a"});
  CHECK(choose_entry({}, policy, called("./x"), {}).argv ==
        Words{"/usr/bin/java", "-jar", "/opt/x.jar", "--help"});
}

TEST_CASE("an image of several commands picks by the name that it was called by") {
  const Entry entry = choose_entry({}, blast(), called("/home/u/bin/blastp"), {"-h"});
  CHECK(entry.program == "/usr/bin/blastp");
  CHECK(entry.argv == Words{"/usr/bin/blastp", "-h"});
}

TEST_CASE("an image of several commands picks by its first argument") {
  const Entry entry = choose_entry({}, blast(), called("./blast.AppImage"), {"blastn", "-h"});
  CHECK(entry.program == "/usr/bin/blastn");
  CHECK(entry.argv == Words{"/usr/bin/blastn", "-h"});
}

TEST_CASE("an image of several commands lists them when it is run bare") {
  const Entry entry = choose_entry({}, blast(), called("./blast.AppImage"), {});
  CHECK(entry.listing == Words{"blastn", "blastp"});
}

TEST_CASE("another program can be asked for by path or by the name of a command") {
  Options options;
  options.exec = "/bin/sh";
  CHECK(choose_entry(options, blast(), called("./x"), {}).program == "/bin/sh");
  options.exec = "blastp";
  CHECK(choose_entry(options, blast(), called("./x"), {}).program == "/usr/bin/blastp");
}

TEST_CASE("an AppDir's AppRun is run with the caller's argv[0]") {
  Policy policy;
  policy.own_apprun = true;
  const Entry entry = choose_entry({}, policy, called("./x"), {"a"});
  CHECK(entry.program == "/AppRun");
  CHECK(entry.argv == Words{"./x", "a"});
}
