// SPDX-License-Identifier: MIT
// What the attacks share. Each says, one line for each thing tried:
//   SAFE WHAT: DETAIL    it was refused, or led nowhere
//   RISK WHAT: DETAIL    it worked
//   ERROR WHAT: DETAIL   it could not be tried
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// RISK where `broken`, else SAFE.
void tell(int broken, const char* what, const char* detail);
void cannot(const char* what);  // ERROR, with errno
// RISK where the call succeeded; the detail is "ok" or the errno.
void must_fail(const char* what, long result);
// RISK where it did not fail with exactly this errno.
void must_give(const char* what, long result, int wanted);

// In a child with user and mount namespaces of its own, as the id 0 of them,
// and those named in `more`. "nested" is put before what it says.
void nested(unsigned long more, void (*attack)(void));
// In a new user namespace: the ids of outside become 0.
void map_to_root(unsigned uid, unsigned gid);
// A file that can be read, to its first 64 bytes; "" if not.
const char* first_bytes(const char* path);

typedef int (*Attack)(int count, char** words);
struct Named {
  const char* name;
  Attack attack;
};
extern const struct Named kTerminal[], kCalls[], kProcesses[], kMounts[], kFiles[], kNetwork[],
    kNeighbours[], kServer[], kWeak[];
