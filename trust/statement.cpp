// SPDX-License-Identifier: MIT
#include "trust/statement.hpp"

#include <unistd.h>

#include <algorithm>

namespace rootlet::trust {
namespace {

constexpr std::string_view kRead = "read the signature";
constexpr std::string_view kFirst = "rootlet image 1\n";
constexpr std::string_view kDigest = "digest: ", kName = "name: ", kVersion = "version: ",
                           kData = "data: ";

// A value is what is left of its line: nothing in it may end the line.
std::string line(std::string_view key, std::string value) {
  std::replace_if(
      value.begin(), value.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return value.empty() ? std::string() : std::string(key) + value + "\n";
}

}  // namespace

std::string Statement::text() const {
  std::string text(kFirst);
  text += line(kDigest, digest) + line(kName, name) + line(kVersion, version);
  for (const std::string& pin : data) text += line(kData, pin);
  return text;
}

Result<Statement> parse_statement(std::string_view text, const std::string& name) {
  const Error wrong = plain_error(kRead, name, "what is signed of its image makes no sense",
                                  "it was made by another program; get the file again");
  if (!text.starts_with(kFirst)) return wrong;
  Statement statement;
  std::string_view rest = text.substr(kFirst.size());
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view all = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto takes = [&](std::string_view key, std::string& to) {
      if (all.starts_with(key)) to = all.substr(key.size());
    };
    takes(kDigest, statement.digest);
    takes(kName, statement.name);
    takes(kVersion, statement.version);
    if (all.starts_with(kData)) statement.data.emplace_back(all.substr(kData.size()));
  }
  // So that no two readers see two things in it.
  if (statement.text() != text) return wrong;
  return statement;
}

std::string SealSignature::text() const { return statement.text() + "\n" + signature.text(); }

Result<SealSignature> parse_seal_signature(std::string_view text, const std::string& name) {
  const std::size_t gap = text.find("\n\n");
  if (gap == std::string_view::npos) {
    return plain_error(kRead, name, "its seal holds something else than a signature",
                       "it was made by another program; get the file again");
  }
  SealSignature both;
  both.statement = TRY(parse_statement(text.substr(0, gap + 1), name));
  both.signature = TRY(parse_signature(text.substr(gap + 2), name));
  return both;
}

Status put_seal_signature(const Payload& payload, const std::string& text,
                          const std::string& name) {
  constexpr std::string_view kWrite = "write the signature";
  auto seal = TRY(read_seal(payload, name));
  if (!seal) return plain_error(kWrite, name, "it has no seal", "rootlet build makes one");
  if (text.size() > Seal::kSignatureMost) {
    return plain_error(kWrite, name,
                       "it has " + std::to_string(text.size()) + " bytes, its place " +
                           std::to_string(Seal::kSignatureMost),
                       "a shorter comment (-t)");
  }
  seal->signature = text;
  const std::string page = seal->page();
  const ssize_t put =
      ::pwrite(payload.fd, page.data(), page.size(), static_cast<off_t>(seal_offset(payload)));
  if (put < 0) return last_error(kWrite, name);
  if (put != static_cast<ssize_t>(page.size())) return plain_error(kWrite, name, "no room");
  return Done{};
}

std::uint64_t end_of_seal(const Payload& payload, const Seal& seal) {
  return seal_offset(payload) + Seal::kPage + seal.tree_bytes();
}

}  // namespace rootlet::trust
