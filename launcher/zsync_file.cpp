// SPDX-License-Identifier: MIT
#include "launcher/zsync_file.hpp"

#include "packaging/output_file.hpp"
#include "trust/program.hpp"

namespace rootlet {

Status make_zsync_file(const std::string& file) {
  constexpr std::string_view kMake = "make the zsync file";
  const std::string path = file + ".zsync";
  const std::string base = file.substr(file.rfind('/') + 1);
  packaging::OutputFile output = TRY(packaging::OutputFile::create(path));
  trust::Program program;
  program.path = TRY(trust::find_program("zsyncmake", "zsync"));
  // -C: the file as it is, not a decompressed one, whatever it looks like.
  program.arguments = {"-C", "-e", "-u", base, "-f", base, "-o", os::fd_path(output.fd()), file};
  program.shared = {output.fd()};
  const trust::ProgramEnd end = TRY(trust::run_program(program));
  if (end.status != 0) return plain_error(kMake, path, printable(end.err));
  return output.publish(0644);
}

}  // namespace rootlet
