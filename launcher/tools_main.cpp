// SPDX-License-Identifier: MIT
#include <string_view>

#include "launcher/verbs.hpp"
#include "runtime/base/error.hpp"

// The verbs of `rootlet` that need libraries. Executed by rootlet with the
// verb's name first.
int main(int argc, char** argv) {
  const std::string_view verb = argc > 0 ? argv[0] : "";
  if (verb == "build") return rootlet::build_verb(argc, argv);
  if (verb == "data") return rootlet::data_verb(argc, argv);
  if (verb == "lock") return rootlet::lock_verb(argc, argv);
  if (verb == "record") return rootlet::record_verb(argc, argv);
  if (verb == "check") return rootlet::check_verb(argc, argv);
  if (verb == "jar") return rootlet::jar_verb(argc, argv);
  if (verb == "rules") return rootlet::rules_verb(argc, argv);
  if (verb == "inspect") return rootlet::inspect_verb(argc, argv);
  if (verb == "ls") return rootlet::ls_verb(argc, argv);
  if (verb == "cat") return rootlet::cat_verb(argc, argv);
  if (verb == "extract") return rootlet::extract_verb(argc, argv);
  if (verb == "install") return rootlet::install_verb(argc, argv);
  if (verb == "uninstall") return rootlet::uninstall_verb(argc, argv);
  if (verb == "list") return rootlet::list_verb(argc, argv);
  if (verb == "sign") return rootlet::sign_verb(argc, argv);
  if (verb == "verify") return rootlet::verify_verb(argc, argv);
  if (verb == "update") return rootlet::update_verb(argc, argv);
  if (verb == "trust") return rootlet::trust_verb(argc, argv);
  rootlet::print_error(rootlet::plain_error("start", "rootlet-tools", "it is a part of rootlet",
                                            "run rootlet VERB instead"));
  return 125;
}
