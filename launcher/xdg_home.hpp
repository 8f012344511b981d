// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include "launcher/desktop_entry.hpp"
#include "launcher/registration.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// The user's directories for what belongs to a desktop ($XDG_DATA_HOME, else
// ~/.local/share; $XDG_CACHE_HOME, else ~/.cache), locked against another rootlet
// while it is used.
//
// Directories and caches that we have made are written down in
// $XDG_DATA_HOME/rootlet/made, before they are made, so that nothing is left when
// the last registration goes.
class XdgHome {
 public:
  // `change`: makes the data directory if it is missing, and locks it.
  static Result<XdgHome> open(bool change);

  // Writes a file whole or not at all; it takes the place of an older one.
  Status put(const RegisteredFile& file);
  // Removes what belongs to an AppImage but these files; how many there were.
  std::size_t remove(const std::string& id, const std::vector<RegisteredFile>& but);
  void remove_thumbnails(const std::string& path);
  // Has the desktop's caches made anew, by the programs that make them. Which of
  // them are not here.
  std::vector<std::string> refresh();
  // Removes what we have made and nobody needs any more.
  void tidy();

  // Names of files of registrations, by id: "applications/appimagekit_ID-NAME.desktop" ...
  std::vector<std::string> registered_files() const;
  std::string data() const { return data_; }

 private:
  std::string base(RegisteredFile::Base base) const {
    return base == RegisteredFile::Base::data ? data_ : cache_;
  }
  Status make_directory(const std::string& path);
  Status write_down(const std::string& path);
  void note_new(const std::string& directory, const std::set<std::string>& before);

  std::string data_, cache_;
  os::Fd lock_;
  std::set<std::string> made_;  // absolute paths
};

// The id in the name of a registered file; empty: it has none.
std::string id_of_file(const std::string& name);

}  // namespace rootlet
