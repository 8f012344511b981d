// SPDX-License-Identifier: MIT
#pragma once

// libsquashfuse's headers, wrapped once: they are C without a guard for C++,
// carry the config.h of their own build, and name a field `export_table`.
#define SQFS_CONFIG_H  // their config.h redefines FUSE_USE_VERSION and PACKAGE
#define HAVE_LINUX_TYPES_LE16 1
#define HAVE_ASM_BYTEORDER_H 1
#define HAVE_ENDIAN_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_STDINT_H 1
#include <sys/types.h>
extern "C" {
#include <squashfuse/dir.h>
#include <squashfuse/file.h>
#include <squashfuse/fs.h>
#include <squashfuse/xattr.h>
}
