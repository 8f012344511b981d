// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// A part of an open file: all of it, or an entry that is itself an archive.
struct FileRange {
  int fd = -1;               // not owned
  std::uint64_t offset = 0;  // bytes from the file's start
  std::uint64_t length = 0;  // bytes
};

// The bytes of a stored entry of a zip archive (a jar is one): they can be
// read, and mounted, where they lie. `path` is the entry's full name; zip64
// and any prefix in front of the archive are understood. `archive` is for
// messages.
//
// Memory is bounded whatever the archive says: its directory is read in pieces.
// Errors: no archive, a directory or header that contradicts itself or the
// file's size, no such entry (ENOENT), the name twice, an entry that is
// compressed or encrypted, or that reaches into another one.
Result<FileRange> find_stored_entry(const FileRange& archive_range, const std::string& path,
                                    const std::string& archive);

// ENTRY of "JAR!/ENTRY", which may go on inside ("lib/inner.jar!/ENTRY"). A
// NAME without a slash that is no entry means the image that `rootlet jar add`
// stores under it for this machine:
// META-INF/rootlet/NAME/CLASSIFIER/NAME.AppImage, or NAME.link beside it, a text
// that holds the path of another entry.
Result<FileRange> find_in_jar(const FileRange& jar_range, const std::string& entry,
                              const std::string& jar);

// CLASSIFIER of this machine, as os-maven-plugin spells it: "linux-x86_64".
std::string machine_classifier();

}  // namespace rootlet
