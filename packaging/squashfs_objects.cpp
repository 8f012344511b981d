// SPDX-License-Identifier: MIT
#include "packaging/squashfs_objects.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace rootlet::packaging {
namespace {

// `base` is first, so that a pointer to it is a pointer to the whole: that is
// how libsquashfs wants its interfaces implemented.
struct PartOfFile {
  sqfs_file_t base;
  int fd;
  std::uint64_t offset, size;
  int* last_errno;
  std::uint64_t on_its_way = 0;  // up to here the disk has been told to write
};

// So much is handed to the disk at a time, while the rest is still being packed:
// the fsync(2) before the file gets its name then finds little left to do.
constexpr std::uint64_t kHandOver = 16 << 20;

void hand_over(PartOfFile& part) {
  if (part.size < part.on_its_way + kHandOver) return;
  // A file system that knows no such thing writes when it likes.
  (void)::sync_file_range(part.fd, static_cast<off64_t>(part.offset + part.on_its_way),
                          static_cast<off64_t>(part.size - part.on_its_way), SYNC_FILE_RANGE_WRITE);
  part.on_its_way = part.size;
}

PartOfFile& self(const sqfs_file_t* file) {
  return *reinterpret_cast<PartOfFile*>(const_cast<sqfs_file_t*>(file));
}

int read_part(sqfs_file_t* file, sqfs_u64 at, void* buffer, size_t size) {
  PartOfFile& part = self(file);
  auto* out = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::pread(part.fd, out, size, static_cast<off_t>(part.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) *part.last_errno = errno;
    if (got <= 0) return got < 0 ? SQFS_ERROR_IO : SQFS_ERROR_OUT_OF_BOUNDS;
    out += got;
    at += static_cast<sqfs_u64>(got);
    size -= static_cast<size_t>(got);
  }
  return 0;
}

int write_part(sqfs_file_t* file, sqfs_u64 at, const void* buffer, size_t size) {
  PartOfFile& part = self(file);
  const auto* in = static_cast<const char*>(buffer);
  while (size > 0) {
    const ssize_t put = ::pwrite(part.fd, in, size, static_cast<off_t>(part.offset + at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) *part.last_errno = errno;
    if (put < 0) return SQFS_ERROR_IO;
    in += put;
    at += static_cast<sqfs_u64>(put);
    size -= static_cast<size_t>(put);
  }
  part.size = std::max(part.size, at);
  hand_over(part);
  return 0;
}

sqfs_u64 size_of_part(const sqfs_file_t* file) { return self(file).size; }

int truncate_part(sqfs_file_t* file, sqfs_u64 size) {
  PartOfFile& part = self(file);
  if (::ftruncate(part.fd, static_cast<off_t>(part.offset + size)) != 0) {
    *part.last_errno = errno;
    return SQFS_ERROR_IO;
  }
  part.size = size;
  part.on_its_way = std::min(part.on_its_way, size);
  return 0;
}

void destroy_part(sqfs_object_t* object) { delete reinterpret_cast<PartOfFile*>(object); }

void destroy_store(sqfs_object_t* object) { delete reinterpret_cast<sqfs_compressor_t*>(object); }

void describe_store(const sqfs_compressor_t*, sqfs_compressor_config_t* config) {
  std::memset(config, 0, sizeof *config);
}

sqfs_s32 store(sqfs_compressor_t*, const sqfs_u8*, sqfs_u32, sqfs_u8*, sqfs_u32) { return 0; }

}  // namespace

Error sqfs_failure(int code, int io_errno) {
  constexpr std::string_view kWrite = "write the image";
  if (code == SQFS_ERROR_IO && io_errno != 0) {
    return Error{io_errno, std::string(kWrite), {}, {}, {}};
  }
  if (code == SQFS_ERROR_ALLOC) return Error{ENOMEM, std::string(kWrite), {}, {}, {}};
  return plain_error(kWrite, "", "libsquashfs reports error " + std::to_string(code));
}

Sqfs<sqfs_file_t> make_sqfs_file(int fd, std::uint64_t offset, int* last_errno) {
  auto* part = new PartOfFile{};
  part->base.base.destroy = destroy_part;
  part->base.read_at = read_part;
  part->base.write_at = write_part;
  part->base.get_size = size_of_part;
  part->base.truncate = truncate_part;
  part->fd = fd;
  part->offset = offset;
  part->last_errno = last_errno;
  return Sqfs<sqfs_file_t>(&part->base);
}

Sqfs<sqfs_compressor_t> make_store_compressor() {
  auto* compressor = new sqfs_compressor_t{};
  compressor->base.destroy = destroy_store;
  compressor->get_configuration = describe_store;
  compressor->do_block = store;
  return Sqfs<sqfs_compressor_t>(compressor);
}

unsigned type_bits(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kDirectory: return S_IFDIR;
    case Node::Kind::kFile: return S_IFREG;
    case Node::Kind::kSymlink: return S_IFLNK;
    case Node::Kind::kCharDevice: return S_IFCHR;
    case Node::Kind::kBlockDevice: return S_IFBLK;
    case Node::Kind::kFifo: return S_IFIFO;
    case Node::Kind::kSocket: return S_IFSOCK;
  }
  return 0;
}

Inode make_inode(const Node& node) {
  const std::size_t size = sizeof(sqfs_inode_generic_t) + node.target.size() + 1;
  // sqfs_free() is free(): libsquashfs promises that for all of version 1.
  auto* inode = static_cast<sqfs_inode_generic_t*>(std::calloc(1, size));
  if (inode == nullptr) return nullptr;
  const auto device = (node.major << 8) | (node.minor & 0xff) | ((node.minor & ~0xffu) << 12);
  switch (node.kind) {
    case Node::Kind::kSymlink:
      inode->base.type = SQFS_INODE_SLINK;
      inode->data.slink.target_size = static_cast<sqfs_u32>(node.target.size());
      inode->payload_bytes_used = inode->data.slink.target_size;
      inode->payload_bytes_available = inode->data.slink.target_size;
      std::memcpy(inode->extra, node.target.data(), node.target.size());
      break;
    case Node::Kind::kCharDevice:
    case Node::Kind::kBlockDevice:
      inode->base.type = node.kind == Node::Kind::kCharDevice ? SQFS_INODE_CDEV : SQFS_INODE_BDEV;
      inode->data.dev.devno = device;
      break;
    case Node::Kind::kFifo: inode->base.type = SQFS_INODE_FIFO; break;
    case Node::Kind::kSocket: inode->base.type = SQFS_INODE_SOCKET; break;
    case Node::Kind::kDirectory:
    case Node::Kind::kFile: break;  // made by the directory writer, the block processor
  }
  inode->data.ipc.nlink = 1;  // nlink is the first field of all of these
  return Inode(inode);
}

}  // namespace rootlet::packaging
