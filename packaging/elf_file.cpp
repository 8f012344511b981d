// SPDX-License-Identifier: MIT
#include "packaging/elf_file.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace rootlet::packaging {
namespace {

// Bounds far beyond any real program, so that a hostile one costs nothing.
constexpr std::size_t kMaximumHeaders = 1024;
constexpr std::size_t kMaximumPath = 4096;
constexpr std::uint64_t kMaximumDynamic = 1 << 20;
constexpr std::uint64_t kMaximumStrings = 64 << 20;
constexpr std::uint64_t kMaximumNotes = 1 << 20;
constexpr std::uint32_t kDlopenNote = 0x407c0c0a;  // of the owner "FDO"

std::vector<std::string> split_colons(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// The JSON of a note: a list of objects. What is malformed tells nothing.
void add_dlopen(const std::string& text, ElfFile& elf) {
  const auto json = nlohmann::json::parse(text.substr(0, text.find('\0')), nullptr, false);
  if (!json.is_array()) return;
  for (const auto& item : json) {
    if (!item.is_object() || !item.contains("soname") || !item["soname"].is_array()) continue;
    ElfFile::Dlopen note;
    for (const auto& name : item["soname"]) {
      if (name.is_string()) note.names.push_back(name);
    }
    const auto take = [&](const char* key, std::string& into) {
      if (item.contains(key) && item[key].is_string()) into = item[key];
    };
    take("priority", note.priority);
    take("feature", note.feature);
    elf.dlopen.push_back(std::move(note));
  }
}

class Reader {
 public:
  Reader(const OpenContent& content, std::uint64_t size, std::string path)
      : content_(content), size_(size), path_(std::move(path)) {}

  Result<ElfFile> read(const Elf64_Ehdr& header) {
    ElfFile elf;
    elf.machine = header.e_machine;
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaximumHeaders) {
      return malformed();
    }
    segments_.resize(header.e_phnum);
    const std::string table = TRY(bytes(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)));
    if (!table.empty()) std::memcpy(segments_.data(), table.data(), table.size());
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == PT_INTERP) {
        if (segment.p_filesz > kMaximumPath) return malformed();
        const std::string text = TRY(bytes(segment.p_offset, segment.p_filesz));
        elf.interpreter = text.substr(0, text.find('\0'));
      }
      if (segment.p_type == PT_DYNAMIC) TRY(read_dynamic(segment, elf));
      if (segment.p_type == PT_NOTE && segment.p_filesz <= kMaximumNotes) {
        read_notes(TRY(bytes(segment.p_offset, segment.p_filesz)), segment.p_align == 8 ? 8 : 4,
                   elf);
      }
    }
    return elf;
  }

 private:
  Error malformed() const {
    return plain_error("check the image", path_, "a malformed ELF file",
                       "replace it, or build with --no-check");
  }

  Result<std::string> bytes(std::uint64_t offset, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) return malformed();
    std::string out(size, '\0');
    TRY(content_.read_at(offset, out.data(), size));
    return out;
  }

  // Where a virtual address lies in the file.
  std::optional<std::uint64_t> file_offset(std::uint64_t address) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      if (address - segment.p_vaddr < segment.p_filesz) {
        return segment.p_offset + (address - segment.p_vaddr);
      }
    }
    return std::nullopt;
  }

  // Each: a header, the owner's name, the text; both padded.
  static void read_notes(const std::string& notes, std::size_t align, ElfFile& elf) {
    const auto padded = [align](std::size_t size) { return (size + align - 1) & ~(align - 1); };
    for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
      Elf64_Nhdr header;
      std::memcpy(&header, notes.data() + at, sizeof header);
      const std::size_t name = at + sizeof header;
      const std::size_t text = name + padded(header.n_namesz);
      if (text > notes.size() || header.n_descsz > notes.size() - text) return;
      if (header.n_type == kDlopenNote && notes.compare(name, 4, std::string("FDO\0", 4)) == 0) {
        add_dlopen(notes.substr(text, header.n_descsz), elf);
      }
      at = text + padded(header.n_descsz);
    }
  }

  Status read_dynamic(const Elf64_Phdr& segment, ElfFile& elf) const {
    if (segment.p_filesz > kMaximumDynamic) return malformed();
    const std::string raw = TRY(bytes(segment.p_offset, segment.p_filesz));
    std::vector<Elf64_Dyn> entries(raw.size() / sizeof(Elf64_Dyn));
    if (entries.empty()) return Done{};
    std::memcpy(entries.data(), raw.data(), entries.size() * sizeof(Elf64_Dyn));
    std::uint64_t strings_at = 0, strings_size = 0;
    for (const Elf64_Dyn& entry : entries) {
      if (entry.d_tag == DT_STRTAB) strings_at = entry.d_un.d_ptr;
      if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
    }
    if (strings_size == 0) return Done{};
    const auto offset = file_offset(strings_at);
    if (!offset || strings_size > kMaximumStrings) return malformed();
    const std::string strings = TRY(bytes(*offset, strings_size));
    for (const Elf64_Dyn& entry : entries) {
      if (entry.d_tag == DT_NULL) break;
      const bool wanted =
          entry.d_tag == DT_NEEDED || entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH;
      if (!wanted) continue;
      if (entry.d_un.d_val >= strings.size()) return malformed();
      const std::string text = strings.c_str() + entry.d_un.d_val;
      if (entry.d_tag == DT_NEEDED) elf.needed.push_back(text);
      if (entry.d_tag == DT_RPATH) elf.rpath = split_colons(text);
      if (entry.d_tag == DT_RUNPATH) elf.runpath = split_colons(text);
    }
    return Done{};
  }

  const OpenContent& content_;
  std::uint64_t size_;
  std::string path_;
  std::vector<Elf64_Phdr> segments_;
};

}  // namespace

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "aarch64";
    case EM_386: return "i386";
    case EM_ARM: return "arm";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    case EM_S390: return "s390";
    default: return "machine " + std::to_string(machine);
  }
}

std::string machine_file_name(std::uint16_t machine) {
  const std::string name = machine_name(machine);
  return name == "x86-64" ? "x86_64" : name;
}

Result<std::optional<ElfFile>> read_elf(const Node& node, const std::string& path) {
  Elf64_Ehdr header{};
  // The first fields, up to e_machine, lie alike in both classes.
  constexpr std::size_t kCommon = 20;
  if (node.size < kCommon) return std::optional<ElfFile>{};
  const OpenContent content = TRY(node.content.open());
  const std::size_t size = std::min<std::uint64_t>(sizeof header, node.size);
  TRY(content.read_at(0, reinterpret_cast<char*>(&header), size));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return std::optional<ElfFile>{};

  ElfFile elf;
  elf.machine = header.e_machine;
  if (header.e_ident[EI_DATA] == ELFDATA2MSB) {
    elf.machine = static_cast<std::uint16_t>((elf.machine << 8) | (elf.machine >> 8));
    return std::optional(elf);
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || size < sizeof header) return std::optional(elf);
  return std::optional(TRY(Reader(content, node.size, path).read(header)));
}

}  // namespace rootlet::packaging
