// SPDX-License-Identifier: MIT
#include "launcher/image_trust.hpp"

#include <sys/stat.h>

#include "launcher/hash_progress.hpp"
#include "runtime/base/log.hpp"
#include "runtime/run/judged_source.hpp"
#include "trust/verdict.hpp"
#include "trust/version_order.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kVerify = "verify the signature";

std::string hint_for(trust::Verdict::Answer answer, const std::string& text) {
  switch (answer) {
    case trust::Verdict::Answer::unknown_key:
      return "if you know the key to be its maker's: rootlet trust add " + text;
    case trust::Verdict::Answer::not_signed:
      return "get a signed copy, or sign it yourself: rootlet sign " + text;
    case trust::Verdict::Answer::image_only:
      return "leave out mount=kernel, which reads it unchecked";
    case trust::Verdict::Answer::bad:
    case trust::Verdict::Answer::good: break;
  }
  return "get the file again; rootlet verify " + text + " tells more";
}

// What a good signature says of its image; the name may be empty.
VerifySettings::Least signed_identity(const trust::Finding& finding) {
  if (finding.statement) return {finding.statement->name, finding.statement->version};
  if (!finding.minisign) return {};
  return {trust::comment_field(*finding.minisign, "name").value_or(""),
          trust::comment_field(*finding.minisign, "version").value_or("")};
}

// Somebody's signature of an old version is as good as ever.
std::string too_old(const trust::Verdict& verdict) {
  for (const trust::Finding& finding : verdict.findings) {
    if (finding.state != trust::Finding::State::good) continue;
    const auto image = signed_identity(finding);
    for (const auto& least : VerifySettings::of_this_run().minimum) {
      if (image.name != least.name) continue;
      if (trust::compare_versions(image.version, least.version) >= 0) continue;
      return "it is " + image.name + " " +
             (image.version.empty() ? "of no version" : image.version) + ", and " + least.version +
             " is the oldest that may run";
    }
  }
  return {};
}

struct Judgement {
  trust::Verdict verdict;
  std::string seal;
};

Result<Judgement> judge_open(int fd, const std::string& text) {
  const VerifySettings& settings = VerifySettings::of_this_run();
  trust::SignedFile file = TRY(trust::signed_file(fd, location_file(text)));
  file.image = TRY(locate_part(fd, text));
  const auto keys = TRY(trust::KeyStore::open(settings.whose_keys()));
  if (!settings.whole_files) {
    Judgement quick{TRY(trust::judge_seal(file, keys)), {}};
    if (quick.verdict.is_good()) {
      quick.seal = quick.verdict.findings.front().statement->digest;
      return quick;
    }
  }
  HashProgress progress("checking the signature");
  return Judgement{TRY(trust::judge(file, keys, progress.callback())), {}};
}

Result<std::string> judge_file(Verify mode, int fd, const std::string& text) {
  auto judged = judge_open(fd, text);
  if (!judged.ok() && mode == Verify::require) return std::move(judged).error();
  if (!judged.ok()) {
    Log::note(judged.error().message());
    return std::string();
  }
  const trust::Verdict& verdict = judged.value().verdict;
  const std::string old = too_old(verdict);
  if (verdict.is_good() && old.empty()) return judged.value().seal;
  const Error error =
      verdict.is_good()
          ? plain_error(kVerify, text, old, "get a newer one; [trust] minimum says so")
          : plain_error(kVerify, text,
                        std::string(trust::answer_text(verdict.answer)) + ": " + verdict.reason,
                        hint_for(verdict.answer, text));
  if (mode == Verify::require) return error;
  Log::note(error.message());
  return std::string();
}

}  // namespace

std::optional<Verify> parse_verify(std::string_view word) {
  if (word == "off") return Verify::off;
  if (word == "warn") return Verify::warn;
  if (word == "require") return Verify::require;
  return std::nullopt;
}

VerifySettings& VerifySettings::of_this_run() {
  static VerifySettings settings;
  return settings;
}

trust::KeyStore::Whose VerifySettings::whose_keys() const {
  using Whose = trust::KeyStore::Whose;
  return site_keys_only ? Whose::site : Whose::site_and_user;
}

Result<Verify> VerifySettings::mode() const {
  const Verify mode = asked.value_or(at_least);
  if (mode >= at_least) return mode;
  return plain_error("read the options", "verify",
                     at_least == Verify::require
                         ? "/etc/rootlet/config.toml requires good signatures"
                         : "/etc/rootlet/config.toml wants at least a warning",
                     "leave it out; whoever keeps that file can change it");
}

Result<JudgedFile> open_judged(const std::string& text) {
  const Verify mode = TRY(VerifySettings::of_this_run().mode());
  auto opened = os::open_at(AT_FDCWD, location_file(text), O_RDONLY | O_NONBLOCK);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    error.action = "open the image";
    return error;
  }
  JudgedFile file{std::move(opened).value(), {}};
  if (mode == Verify::off || text == "/") return file;
  struct stat status {};
  if (::fstat(file.fd.get(), &status) != 0) return last_error(kVerify, text);
  if (!S_ISDIR(status.st_mode)) {
    file.seal = TRY(judge_file(mode, file.fd.get(), text));
  } else if (mode == Verify::require) {
    return plain_error(kVerify, text, "a directory carries no signature",
                       "pack and sign it: rootlet build --sign " + text);
  }
  return file;
}

Status check_judged(const std::string& seal, const Source& source, const std::string& text) {
  if (seal.empty()) return Done{};
  const Seal* opened = source.image ? source.image->seal() : nullptr;
  if (opened != nullptr && seal_text(opened->digest) == seal) return Done{};
  return plain_error(kVerify, text, "it changed after its signature was judged", "try again");
}

Status judge_open_image(const Source& source, const std::string& text) {
  const Verify mode = TRY(VerifySettings::of_this_run().mode());
  if (mode == Verify::off) return Done{};
  return check_judged(TRY(judge_file(mode, source.fd.get(), text)), source, text);
}

}  // namespace rootlet
