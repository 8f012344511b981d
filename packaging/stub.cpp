// SPDX-License-Identifier: MIT
#include "packaging/stub.hpp"

#include <elf.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>

#include "packaging/tree.hpp"
#include "packaging/update_information.hpp"
#include "runtime/payload/payload.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the stub";
constexpr std::size_t kLargestStub = 64 << 20;

Error bad(const std::string& path, std::string_view reason) {
  return plain_error(kRead, path, reason, "name the project's own rootlet-stub with --stub");
}

template <typename T>
std::optional<T> get(const std::string& bytes, std::uint64_t offset) {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

struct Range {
  std::uint64_t offset = 0, size = 0;
};

// Every number is checked against the bytes: inspect shows any file this.
std::optional<Range> find_section(const std::string& elf, const std::string& wanted) {
  const auto header = get<Elf64_Ehdr>(elf, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_shentsize != sizeof(Elf64_Shdr)) {
    return std::nullopt;
  }
  const auto section = [&](std::size_t index) {
    return get<Elf64_Shdr>(elf, header->e_shoff + index * sizeof(Elf64_Shdr));
  };
  const auto names = section(header->e_shstrndx);
  if (!names) return std::nullopt;
  for (std::size_t i = 0; i < header->e_shnum; ++i) {
    const auto entry = section(i);
    if (!entry) return std::nullopt;
    const std::uint64_t at = names->sh_offset + entry->sh_name;
    if (at >= elf.size() || elf.compare(at, wanted.size() + 1, wanted + '\0') != 0) continue;
    if (entry->sh_type == SHT_NOBITS || entry->sh_offset > elf.size() ||
        entry->sh_size > elf.size() - entry->sh_offset) {
      return std::nullopt;
    }
    return Range{entry->sh_offset, entry->sh_size};
  }
  return std::nullopt;
}

}  // namespace

Result<Stub> read_stub(const std::string& path) {
  const int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) return last_error(kRead, path);
  const os::Fd file(raw);
  const std::uint64_t end = TRY(elf_end(raw, path));
  const off_t size = ::lseek(raw, 0, SEEK_END);
  if (size < 0) return last_error(kRead, path);
  if (end != static_cast<std::uint64_t>(size)) {
    return bad(path, "the ELF file ends at byte " + std::to_string(end) + ", the file at " +
                         std::to_string(size) + ": an image behind it would not be found");
  }
  if (end % 4096 != 0) return bad(path, "its size is no multiple of 4096");
  if (end > kLargestStub) return bad(path, "it is larger than 64 MiB");

  Stub stub;
  stub.bytes.resize(end);
  auto shared = std::make_shared<const os::Fd>(::dup(raw));
  const OpenContent content = TRY(Content::of_range(shared, 0, path).open());
  TRY(content.read_at(0, stub.bytes.data(), end));
  const auto header = get<Elf64_Ehdr>(stub.bytes, 0);
  if (!header || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_ident[EI_DATA] != ELFDATA2LSB ||
      (header->e_type != ET_EXEC && header->e_type != ET_DYN)) {
    return bad(path, "not a 64-bit little-endian ELF program");
  }
  stub.machine = header->e_machine;
  return stub;
}

Status set_update_information(Stub& stub, const std::string& text) {
  constexpr std::string_view kSet = "write the update information";
  TRY(check_update_information(text));
  const auto section = find_section(stub.bytes, ".upd_info");
  if (!section) return plain_error(kSet, ".upd_info", "the stub has no such section");
  if (text.size() >= section->size) {
    return plain_error(
        kSet, text,
        "longer than the stub's section of " + std::to_string(section->size) + " bytes");
  }
  stub.bytes.replace(section->offset, text.size(), text);
  return Done{};
}

std::string section_text(const std::string& elf, const std::string& name) {
  const auto section = find_section(elf, name);
  if (!section) return {};
  std::string text = elf.substr(section->offset, section->size);
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::string find_own_file(const std::string& name) {
  std::array<char, 4096> self{};
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return {};
  const std::string here = parent_of({self.data(), static_cast<std::size_t>(length)});
  for (const std::string& candidate : {here + "/" + name, here + "/../libexec/rootlet/" + name}) {
    if (::access(candidate.c_str(), R_OK) == 0) return candidate;
  }
  return {};
}

std::string find_own_program() {
  const std::string beside = find_own_file("rootlet");
  return beside.empty() ? find_own_file("../../bin/rootlet") : beside;
}

}  // namespace rootlet::packaging
