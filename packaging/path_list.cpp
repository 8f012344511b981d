// SPDX-License-Identifier: MIT
#include "packaging/path_list.hpp"

#include <fstream>

namespace rootlet::packaging {

Result<std::vector<std::string>> read_path_list(const std::string& file) {
  constexpr std::string_view kRead = "read the list of paths";
  std::ifstream in(file, std::ios::binary);
  if (!in) return last_error(kRead, file);
  std::vector<std::string> paths;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find('\0') != std::string::npos) {
      return plain_error(kRead, file + ":" + std::to_string(number), "not a text, it holds a NUL",
                         "one path a line");
    }
    if (line.empty() || line[0] == '#') continue;
    const std::size_t begin = line.find_first_not_of('/');
    if (begin != std::string::npos) paths.push_back(line.substr(begin));
  }
  if (in.bad()) return last_error(kRead, file);
  return paths;
}

}  // namespace rootlet::packaging
