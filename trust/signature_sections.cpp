// SPDX-License-Identifier: MIT
#include "trust/signature_sections.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace rootlet::trust {
namespace {

constexpr std::string_view kRead = "read the signature";
constexpr std::uint64_t kLargestSection = 1 << 16;

Error damaged(const std::string& name, std::string_view reason) {
  return plain_error(kRead, name, reason, "the file is damaged; copy or download it again");
}

bool read_at(const FileRange& image, std::uint64_t offset, void* to, std::size_t size) {
  if (offset > image.length || size > image.length - offset) return false;
  return ::pread(image.fd, to, size, static_cast<off_t>(image.offset + offset)) ==
         static_cast<ssize_t>(size);
}

// The section headers of one ELF class, this machine's byte order.
template <typename Header, typename Section>
class SectionTable {
 public:
  SectionTable(const FileRange& image, const std::string& name) : image_(image), name_(name) {}

  Result<SignatureSections> find() {
    if (!read_at(image_, 0, &header_, sizeof header_)) return damaged(name_, "it is cut short");
    if (header_.e_shnum == 0) return SignatureSections{};
    if (header_.e_shentsize != sizeof(Section) || header_.e_shstrndx >= header_.e_shnum) {
      return damaged(name_, "its section table makes no sense");
    }
    sections_.resize(header_.e_shnum);
    if (!read_at(image_, header_.e_shoff, sections_.data(), sections_.size() * sizeof(Section))) {
      return damaged(name_, "its section table is cut short");
    }
    SignatureSections found;
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      const std::string called = name_of(sections_[i]);
      if (called == ".sha256_sig") found.gpg = TRY(checked(i, found.gpg));
      if (called == ".sig_key") found.gpg_key = TRY(checked(i, found.gpg_key));
    }
    return found;
  }

 private:
  std::string name_of(const Section& section) const {
    char name[16] = {};
    const Section& names = sections_[header_.e_shstrndx];
    return read_at(image_, std::uint64_t{names.sh_offset} + section.sh_name, name, sizeof name - 1)
               ? std::string(name)
               : std::string();
  }

  Result<ZeroRange> checked(std::size_t index, const ZeroRange& before) const {
    const Section& section = sections_[index];
    const ZeroRange range{section.sh_offset, section.sh_size};
    if (before.length > 0) return damaged(name_, "a section for signatures is there twice");
    if (section.sh_type != SHT_PROGBITS || (section.sh_flags & SHF_EXECINSTR) != 0 ||
        range.length == 0 || range.length > kLargestSection || range.offset > image_.length ||
        range.length > image_.length - range.offset || overlaps(index, range)) {
      return damaged(name_, "a section for signatures lies where none can be");
    }
    return range;
  }

  bool overlaps(std::size_t index, const ZeroRange& range) const {
    const auto meets = [&](std::uint64_t offset, std::uint64_t length) {
      return offset < range.offset + range.length && range.offset < offset + length;
    };
    if (meets(0, sizeof header_) ||
        meets(header_.e_shoff, std::uint64_t{header_.e_shnum} * sizeof(Section)) ||
        meets(header_.e_phoff, std::uint64_t{header_.e_phnum} * header_.e_phentsize)) {
      return true;
    }
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      const Section& other = sections_[i];
      if (i == index || other.sh_type == SHT_NULL || other.sh_type == SHT_NOBITS) continue;
      if (meets(other.sh_offset, other.sh_size)) return true;
    }
    return false;
  }

  const FileRange& image_;
  const std::string& name_;
  Header header_{};
  std::vector<Section> sections_;
};

}  // namespace

Result<SignatureSections> find_signature_sections(const FileRange& image, const std::string& name) {
  unsigned char ident[EI_NIDENT];
  if (!read_at(image, 0, ident, sizeof ident)) return SignatureSections{};
  // An image for a machine of the other byte order is signed beside the file.
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_DATA] != ELFDATA2LSB) {
    return SignatureSections{};
  }
  if (ident[EI_CLASS] == ELFCLASS32)
    return SectionTable<Elf32_Ehdr, Elf32_Shdr>(image, name).find();
  return SectionTable<Elf64_Ehdr, Elf64_Shdr>(image, name).find();
}

Result<std::string> text_in(const FileRange& image, const ZeroRange& where,
                            const std::string& name) {
  std::string text(where.length, '\0');
  if (!read_at(image, where.offset, text.data(), text.size())) {
    return damaged(name, "it is cut short");
  }
  const std::size_t end = std::min(text.find('\0'), text.size());
  if (text.find_first_not_of('\0', end) != std::string::npos) {
    return damaged(name, "something is hidden behind its signature");
  }
  text.resize(end);
  return text;
}

Status put_text(const FileRange& image, const ZeroRange& where, const std::string& text,
                const std::string& name) {
  constexpr std::string_view kWrite = "write the signature";
  // One zero has to follow: it is how readers find the end.
  if (text.size() >= where.length) {
    return plain_error(kWrite, name,
                       "it has " + std::to_string(text.size()) + " bytes, its place " +
                           std::to_string(where.length),
                       "a shorter comment, or a key of fewer ids (gpg --export-options "
                       "export-minimal); --beside has no limit");
  }
  std::string bytes = text;
  bytes.resize(where.length, '\0');
  const ssize_t put = ::pwrite(image.fd, bytes.data(), bytes.size(),
                               static_cast<off_t>(image.offset + where.offset));
  if (put < 0) return last_error(kWrite, name);
  if (put != static_cast<ssize_t>(bytes.size())) return plain_error(kWrite, name, "no room");
  return Done{};
}

}  // namespace rootlet::trust
