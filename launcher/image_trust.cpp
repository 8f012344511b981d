// SPDX-License-Identifier: MIT
#include "launcher/image_trust.hpp"

#include <sys/stat.h>

#include "launcher/hash_progress.hpp"
#include "runtime/base/log.hpp"
#include "runtime/run/judged_source.hpp"
#include "trust/verdict.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kVerify = "verify the signature";

std::string hint_for(trust::Verdict::Answer answer, const std::string& text) {
  switch (answer) {
    case trust::Verdict::Answer::unknown_key:
      return "if you know the key to be its maker's: rootlet trust add " + text;
    case trust::Verdict::Answer::not_signed:
      return "get a signed copy, or sign it yourself: rootlet sign " + text;
    case trust::Verdict::Answer::bad:
    case trust::Verdict::Answer::good: break;
  }
  return "get the file again; rootlet verify " + text + " tells more";
}

Result<trust::Verdict> judge_open(int fd, const std::string& text) {
  trust::SignedFile file = TRY(trust::signed_file(fd, location_file(text)));
  file.image = TRY(locate_part(fd, text));
  const auto keys = TRY(trust::KeyStore::open(VerifySettings::of_this_run().whose_keys()));
  HashProgress progress("checking the signature");
  return trust::judge(file, keys, progress.callback());
}

Status judge_file(Verify mode, int fd, const std::string& text) {
  auto judged = judge_open(fd, text);
  if (!judged.ok() && mode == Verify::require) return std::move(judged).error();
  if (!judged.ok()) {
    Log::note(judged.error().message());
    return Done{};
  }
  const trust::Verdict& verdict = judged.value();
  if (verdict.is_good()) return Done{};
  const Error error = plain_error(
      kVerify, text, std::string(trust::answer_text(verdict.answer)) + ": " + verdict.reason,
      hint_for(verdict.answer, text));
  if (mode == Verify::require) return error;
  Log::note(error.message());
  return Done{};
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

Result<os::Fd> open_judged(const std::string& text) {
  const Verify mode = TRY(VerifySettings::of_this_run().mode());
  auto opened = os::open_at(AT_FDCWD, location_file(text), O_RDONLY);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    error.action = "open the image";
    return error;
  }
  os::Fd fd = std::move(opened).value();
  if (mode == Verify::off || text == "/") return fd;
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return last_error(kVerify, text);
  if (!S_ISDIR(status.st_mode)) {
    TRY(judge_file(mode, fd.get(), text));
  } else if (mode == Verify::require) {
    return plain_error(kVerify, text, "a directory carries no signature",
                       "pack and sign it: rootlet build --sign " + text);
  }
  return fd;
}

}  // namespace rootlet
