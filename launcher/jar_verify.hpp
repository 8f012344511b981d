// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/jar_shape.hpp"
#include "runtime/base/result.hpp"

namespace rootlet {

// What became of one image of a jar.
struct JarFinding {
  std::string name, classifier, entry;                   // entry: the one that holds the bytes
  std::string digest;                                    // as its description says
  std::uint64_t offset = 0, size = 0;                    // bytes, in the jar
  bool stored = false, aligned = false, shared = false;  // shared: another name's bytes
  std::string base;                                      // it lies on: a file name
  std::string trouble;                                   // why it cannot run; empty: it can
  std::string remark;                                    // what is odd, and harmless
};

// Every image of the jar, and the jar itself.
struct JarFindings {
  std::vector<JarFinding> images;
  JarShape shape;  // empty unless `deep`
};

// `deep`: the digests are computed, too, and the jar is judged as a whole.
Result<JarFindings> look_into_jar(const std::string& jar, bool deep);

std::string findings_as_text(const std::vector<JarFinding>& findings, bool deep);
std::string findings_as_json(const std::vector<JarFinding>& findings);

}  // namespace rootlet
