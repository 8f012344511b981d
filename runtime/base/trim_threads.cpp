// SPDX-License-Identifier: MIT
#include "runtime/base/trim_never.hpp"

// What pthread_create() brings and the stub's threads do without. Linked into
// the stub alone. The image server's threads read, decode and answer; none of
// them prints, looks up a host's name or is cancelled. glibc 2.36.
TRIM_TARGET

// Unwinds a thread's stack, with the unwinder.
TRIM_NEVER(__pthread_cancel);
// Makes stacks executable, as a shared library may want them.
TRIM_NEVER(__nptl_change_stack_perm);

extern "C" {

// Turns on the locks of FILEs, of which the stub has none.
void _IO_enable_locks() {}

// The resolver's state of each thread, which a new thread points at its own.
thread_local void* __libc_resp;

// At the end of a thread: of what glibc gives back there (resolver, messages of
// dlopen() and strerror()) only malloc's part is in the stub.
void __malloc_arena_thread_freeres();
void __libc_thread_freeres() { __malloc_arena_thread_freeres(); }

}  // extern "C"
