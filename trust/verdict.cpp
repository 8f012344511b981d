// SPDX-License-Identifier: MIT
#include "trust/verdict.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"
#include "trust/finding.hpp"

namespace rootlet::trust {
namespace {

using State = Finding::State;
using Answer = Verdict::Answer;

constexpr std::size_t kLargestSignature = 1 << 16;

const Finding* first(const std::vector<Finding>& findings, State state) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& finding) { return finding.state == state; });
  return found == findings.end() ? nullptr : &*found;
}

std::string key_text(const Finding& finding) {
  const std::string id = (finding.kind == Finding::Kind::gpg ? "GPG " : "minisign ") + finding.key;
  const std::string name = finding.by ? finding.by->name : "";
  return name.empty() || name == finding.key ? id : name + " (" + id + ")";
}

const Finding* first_of_file(const std::vector<Finding>& findings, State state) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.state == state && !finding.of_image;
  });
  return found == findings.end() ? nullptr : &*found;
}

// Every bad signature counts: whoever changes a file leaves one. `bare`: there is
// nothing in front of the image.
void decide(Verdict& verdict, bool bare) {
  if (const Finding* bad = first(verdict.findings, State::bad)) {
    verdict.answer = Answer::bad;
    verdict.reason = bad->why;
  } else if (const Finding* good = first_of_file(verdict.findings, State::good)) {
    verdict.answer = Answer::good;
    verdict.reason = "signed by " + key_text(*good);
  } else if (const Finding* image = first(verdict.findings, State::good)) {
    verdict.answer = bare ? Answer::good : Answer::image_only;
    verdict.by_seal = true;
    verdict.reason = "signed by " + key_text(*image);
    if (!bare) verdict.reason = "its image is " + verdict.reason + ", its program by nobody";
  } else if (const Finding* unknown = first(verdict.findings, State::unknown_key)) {
    verdict.answer = Answer::unknown_key;
    verdict.reason = "signed by " + key_text(*unknown) + ", which is not a key you trust";
    if (!unknown->why.empty()) verdict.reason += "; " + unknown->why;
  } else {
    verdict.answer = Answer::not_signed;
    verdict.reason = "it has no signature";
  }
}

Status find_inside(const SignedFile& file, const Judge& judge, std::vector<Finding>& findings) {
  const auto sections = find_signature_sections(file.image, file.name);
  if (!sections.ok()) {
    findings.push_back(bad_finding(Finding::Kind::minisign, "inside", sections.error()));
    return Done{};
  }
  const SignatureSections& places = sections.value();
  const InsideTexts texts = read_inside(file, places);
  findings.insert(findings.end(), texts.bad.begin(), texts.bad.end());
  if (!texts.minisign.empty()) {
    findings.push_back(TRY(judge.minisign(texts.minisign, "inside", file.image, {places.slot()})));
  }
  if (!texts.gpg.empty()) {
    findings.push_back(TRY(judge.gpg(texts.gpg, texts.gpg_key, file.image, places)));
  }
  return Done{};
}

Status find_beside(const SignedFile& file, const Judge& judge, std::vector<Finding>& findings) {
  for (const std::string& path : file.beside) {
    const os::Fd opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!opened.valid()) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) continue;
      return last_error("read the signature", path);
    }
    const std::string text =
        TRY(os::read_file(AT_FDCWD, os::fd_path(opened.get()), kLargestSignature));
    findings.push_back(TRY(judge.minisign(text, path, file.whole, {})));
  }
  return Done{};
}

// Nothing where there is no image: then nothing is signed of it.
Status find_in_seal(const SignedFile& file, const Judge& judge, std::vector<Finding>& findings,
                    bool& bare) {
  const auto payload = find_payload_in(file.image, file.name);
  if (!payload.ok()) return Done{};
  bare = payload.value().offset == file.image.offset;
  const auto seal = read_seal(payload.value(), file.name);
  if (!seal.ok()) {
    findings.push_back(bad_finding(Finding::Kind::minisign, "in the seal", seal.error()));
    return Done{};
  }
  if (!seal.value() || seal.value()->signature.empty()) return Done{};
  Finding finding = TRY(judge.seal(*seal.value()));
  const std::uint64_t end = end_of_seal(payload.value(), *seal.value());
  const std::uint64_t here = file.image.offset + file.image.length;
  if (bare && here > end && finding.state != State::bad) {
    finding.state = State::bad;
    finding.why = change_text(end - file.image.offset, file.image.length);
  }
  findings.push_back(std::move(finding));
  return Done{};
}

}  // namespace

Result<SignedFile> signed_file(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error("read the file", name);
  if (!S_ISREG(status.st_mode)) {
    return plain_error("read the file", name, "it is not a regular file",
                       "only files carry signatures");
  }
  const FileRange whole{fd, 0, static_cast<std::uint64_t>(status.st_size)};
  SignedFile file{whole, whole, name, {name + ".minisig"}};
  const std::string real = real_path(name) + ".minisig";
  struct stat here {
  }, there{};
  const bool other = ::stat(file.beside[0].c_str(), &here) != 0 ||
                     ::stat(real.c_str(), &there) != 0 || here.st_ino != there.st_ino ||
                     here.st_dev != there.st_dev;
  if (other && real != file.beside[0]) file.beside.push_back(real);
  return file;
}

Result<Verdict> judge(const SignedFile& file, const KeyStore& keys, const HashProgress& progress) {
  const Judge judge(keys, file.name, progress);
  Verdict verdict;
  TRY(find_inside(file, judge, verdict.findings));
  TRY(find_beside(file, judge, verdict.findings));
  bool bare = false;
  TRY(find_in_seal(file, judge, verdict.findings, bare));
  const Finding* unchecked = first(verdict.findings, State::unchecked);
  if (unchecked != nullptr && first(verdict.findings, State::good) == nullptr &&
      first(verdict.findings, State::bad) == nullptr) {
    return plain_error("verify the signature", file.name, unchecked->why,
                       "apt-get install gpgv; until then nothing can be said about it");
  }
  decide(verdict, bare);
  return verdict;
}

Result<Verdict> judge_seal(const SignedFile& file, const KeyStore& keys) {
  const HashProgress nothing_is_hashed;
  const Judge judge(keys, file.name, nothing_is_hashed);
  Verdict verdict;
  bool bare = false;
  TRY(find_in_seal(file, judge, verdict.findings, bare));
  decide(verdict, true);
  return verdict;
}

std::string_view answer_text(Answer answer) {
  switch (answer) {
    case Answer::good: return "good";
    case Answer::image_only: return "image only";
    case Answer::unknown_key: return "unknown key";
    case Answer::bad: return "bad";
    case Answer::not_signed: return "not signed";
  }
  return "bad";
}

std::string change_text(std::uint64_t signed_size, std::uint64_t size) {
  if (size > signed_size) {
    return std::to_string(size - signed_size) + " bytes were appended after it was signed";
  }
  if (size < signed_size) {
    return "it is cut short: " + std::to_string(signed_size - size) + " of " +
           std::to_string(signed_size) + " bytes are missing";
  }
  return "its bytes are not those that were signed";
}

}  // namespace rootlet::trust
