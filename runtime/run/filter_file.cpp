// SPDX-License-Identifier: MIT
#include "runtime/run/filter_file.hpp"

#include <linux/bpf_common.h>
#include <linux/filter.h>

#include "runtime/os/fd.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the system-call filter";
constexpr std::size_t kMost = BPF_MAXINSNS * sizeof(sock_filter);
constexpr std::size_t kLongestProfile = 1u << 20;

CompileProfile compiler = nullptr;

bool is_json(const std::string& text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start != std::string::npos && text[start] == '{';
}

}  // namespace

void compile_profiles_with(CompileProfile compile) { compiler = compile; }

Result<std::string> read_filter(const std::string& file) {
  auto read = os::read_file(AT_FDCWD, file, kLongestProfile + 1);
  if (!read.ok()) {
    Error error = std::move(read).error();
    error.action = kRead;
    return error;
  }
  std::string text = std::move(read).value();
  if (text.size() > kLongestProfile) return plain_error(kRead, file, "it is longer than 1 MiB");
  if (is_json(text)) {
    if (compiler == nullptr) {
      return plain_error(kRead, file, "a packed file takes a compiled filter, not a profile",
                         "rootlet run --seccomp=FILE IMAGE takes profiles");
    }
    text = TRY(compiler(text, file));
  }
  if (text.empty() || text.size() % sizeof(sock_filter) != 0 || text.size() > kMost) {
    return plain_error(kRead, file, "it is neither a profile nor a compiled filter",
                       "an OCI profile in JSON, or what libseccomp's seccomp_export_bpf writes");
  }
  return text;
}

}  // namespace rootlet
