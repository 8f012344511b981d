// SPDX-License-Identifier: MIT
// libappimage itself, asked by tests: what does it say, and what would it have
// written? rootlet-appimage-oracle WHAT FILE [PATH]
#include <appimage/appimage.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  const char* file = argc > 2 ? argv[2] : "";
  if (what == "type") return std::printf("%d\n", ::appimage_get_type(file, false)) < 0;
  if (what == "offset") return std::printf("%ld\n", ::appimage_get_payload_offset(file)) < 0;
  if (what == "md5") return std::puts(::appimage_get_md5(file)) < 0;
  if (what == "register") return ::appimage_register_in_system(file, false);
  if (what == "unregister") return ::appimage_unregister_in_system(file, false);
  if (what == "registered") return ::appimage_is_registered_in_system(file) ? 0 : 1;
  if (what == "thumbnail") return ::appimage_create_thumbnail(file, false) ? 0 : 1;
  if (what == "list") {
    char** names = ::appimage_list_files(file);
    for (char** name = names; *name != nullptr; ++name) std::puts(*name);
    return 0;
  }
  if (what == "cat" && argc > 3) {
    char* bytes = nullptr;
    unsigned long size = 0;
    if (!::appimage_read_file_into_buffer_following_symlinks(file, argv[3], &bytes, &size))
      return 1;
    return std::fwrite(bytes, 1, size, stdout) == size ? 0 : 1;
  }
  std::fputs("rootlet-appimage-oracle WHAT FILE [PATH]\n", stderr);
  return 2;
}
