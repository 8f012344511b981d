// SPDX-License-Identifier: MIT
#include <sys/syscall.h>

#include "runtime/rules/rules.hpp"
#include "runtime/sandbox/rule_filter.hpp"

namespace rootlet::sandbox {
namespace {

struct Row {
  std::uint32_t number;
  PathCall call;
};

constexpr std::uint8_t kCreate = Rules::create, kRemove = Rules::remove, kWrite = Rules::write,
                       kRun = Rules::execute;

// Those that Landlock decides on (Linux 6.18); what only looks at metadata is not
// among them. `link` names a file that is there, and needs nothing of it.
constexpr Row kRows[] = {
    {__NR_openat, {0, 1, 0, 2}},
    {__NR_execve, {-1, 0, kRun}},
    {__NR_execveat, {0, 1, kRun}},
    {__NR_truncate, {-1, 0, kWrite}},
    {__NR_mkdirat, {0, 1, kCreate}},
    {__NR_mknodat, {0, 1, kCreate}},
    {__NR_unlinkat, {0, 1, kRemove}},
    {__NR_symlinkat, {1, 2, kCreate}},
    {__NR_linkat, {2, 3, kCreate}},
    {__NR_renameat2, {0, 1, kRemove, -1, 2, 3}},
#ifdef __NR_renameat
    {__NR_renameat, {0, 1, kRemove, -1, 2, 3}},
#endif
#ifdef __NR_open
    {__NR_open, {-1, 0, 0, 1}},
    {__NR_creat, {-1, 0, kCreate | kWrite}},
    {__NR_mkdir, {-1, 0, kCreate}},
    {__NR_mknod, {-1, 0, kCreate}},
    {__NR_unlink, {-1, 0, kRemove}},
    {__NR_rmdir, {-1, 0, kRemove}},
    {__NR_symlink, {-1, 1, kCreate}},
    {__NR_link, {-1, 1, kCreate}},
    {__NR_rename, {-1, 0, kRemove, -1, -1, 1}},
#endif
};

}  // namespace

const PathCall* path_call(std::uint32_t number) {
  for (const Row& row : kRows) {
    if (row.number == number) return &row.call;
  }
  return nullptr;
}

}  // namespace rootlet::sandbox
