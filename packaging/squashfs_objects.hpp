// SPDX-License-Identifier: MIT
#pragma once

#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>

#include <memory>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// libsquashfs' objects, each with one owner.
struct DestroySqfs {
  void operator()(void* object) const { ::sqfs_destroy(object); }
};
template <typename T>
using Sqfs = std::unique_ptr<T, DestroySqfs>;

struct FreeInode {
  void operator()(sqfs_inode_generic_t* inode) const { ::sqfs_free(inode); }
};
using Inode = std::unique_ptr<sqfs_inode_generic_t, FreeInode>;

// A negative return value of libsquashfs as an Error; `io_errno` is the errno
// of our own file object, which knows more than SQFS_ERROR_IO.
Error sqfs_failure(int code, int io_errno);

// A part of an open file, from an offset to its end, as libsquashfs wants it.
// The descriptor is not owned. `last_errno` receives the errno of a failure.
Sqfs<sqfs_file_t> make_sqfs_file(int fd, std::uint64_t offset, int* last_errno);

// A compressor that finds everything incompressible: squashfs then stores the
// block as it is. For the inode and directory tables: an image starts faster
// when the first look-ups need no decompression.
Sqfs<sqfs_compressor_t> make_store_compressor();

// The S_IFMT bits of a kind.
unsigned type_bits(Node::Kind kind);

// The inode of a symlink, device, fifo or socket; null when memory is out.
// Those of files and directories are made by libsquashfs.
Inode make_inode(const Node& node);

}  // namespace rootlet::packaging
