// SPDX-License-Identifier: MIT
#include "trust/openpgp.hpp"

#include <algorithm>
#include <string_view>

#include "runtime/os/fd.hpp"
#include "runtime/run/host_program.hpp"
#include "trust/base64.hpp"
#include "trust/program.hpp"

namespace rootlet::trust {
namespace {

using Kind = PgpAnswer::Kind;

// Pieces between separators. No streams: `rootlet run` links this, and they
// bring a megabyte of locales along.
std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The words behind "[GNUPG:] KEYWORD", of each line that has that keyword.
std::vector<std::string> status_words(const std::string& text, const std::string& keyword) {
  std::vector<std::string> found;
  const std::string start = "[GNUPG:] " + keyword;
  for (const std::string& line : split(text, '\n')) {
    if (line == start) found.emplace_back();
    if (line.starts_with(start + " ")) found.push_back(line.substr(start.size() + 1));
  }
  return found;
}

// gpgv ends with 0 also where the key is expired or revoked: its status lines
// tell (gnupg 2.2, doc/DETAILS).
PgpAnswer read_answer(const std::string& status) {
  struct Line {
    const char* keyword;
    Kind kind;
  };
  constexpr Line kLines[] = {{"GOODSIG", Kind::good},      {"BADSIG", Kind::bad},
                             {"EXPSIG", Kind::expired},    {"EXPKEYSIG", Kind::expired},
                             {"REVKEYSIG", Kind::revoked}, {"ERRSIG", Kind::unreadable}};
  PgpAnswer answer;
  if (status_words(status, "NEWSIG").size() != 1) return answer;
  for (const Line& line : kLines) {
    const auto found = status_words(status, line.keyword);
    if (found.empty()) continue;
    answer.kind = line.kind;
    const std::size_t blank = found[0].find(' ');
    answer.key = found[0].substr(0, blank);
    answer.user = blank == std::string::npos ? "" : found[0].substr(blank + 1);
    if (line.kind == Kind::unreadable) answer.user.clear();
  }
  if (answer.kind == Kind::unreadable && !status_words(status, "NO_PUBKEY").empty()) {
    answer.kind = Kind::other_key;
  }
  // The last word is the primary key's fingerprint: a subkey may have signed.
  const auto valid = status_words(status, "VALIDSIG");
  if (!valid.empty()) answer.key = valid[0].substr(valid[0].rfind(' ') + 1);
  if (answer.kind == Kind::good && valid.size() != 1) answer.kind = Kind::bad;
  return answer;
}

Error said_by_gpg(std::string_view action, const std::string& subject, const std::string& err) {
  std::string last;
  for (const std::string& line : split(err, '\n')) {
    if (!line.empty() && !line.starts_with("gpg: checking") && !line.starts_with("gpg: next")) {
      last = line;
    }
  }
  return plain_error(action, subject, last.empty() ? "gpg failed" : printable(last),
                     "gpg --list-secret-keys lists your keys; GPG_TTY=$(tty) lets it ask for the "
                     "passphrase");
}

std::vector<std::string> with_passphrase(std::vector<std::string> arguments, int fd) {
  if (fd < 0) return arguments;
  arguments.insert(arguments.begin(),
                   {"--pinentry-mode", "loopback", "--passphrase-fd", std::to_string(fd)});
  return arguments;
}

Result<std::string> run_gpg(std::vector<std::string> arguments, const std::string& input,
                            std::string_view action, const std::string& subject) {
  const std::string gpg = TRY(find_program("gpg", "gnupg"));
  arguments.insert(arguments.begin(), {"--batch", "--no-tty", "--quiet"});
  const ProgramEnd end = TRY(run_program({gpg, arguments, input, {}, {}, 0, false}));
  if (end.status != 0) return said_by_gpg(action, subject, end.err);
  return end.out;
}

}  // namespace

std::optional<std::string> without_armor(const std::string& text) {
  constexpr std::string_view kBegin = "-----BEGIN PGP ";
  if (text.find(kBegin) == std::string::npos) return text;
  if (!text.starts_with(kBegin)) return std::nullopt;
  std::string body;
  bool in_body = false;
  for (std::string& line : split(text, '\n')) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with("-----END PGP ")) return from_base64(body);
    if (line.empty()) {
      in_body = true;
    } else if (in_body && line[0] != '=') {  // "=XXXX" is the checksum; gpgv checks the content
      body += line;
    }
  }
  return std::nullopt;
}

Result<PgpAnswer> check_pgp(const std::string& signature, const std::string& message,
                            const std::vector<std::string>& keyrings) {
  // Not what PATH finds: that is the word of whoever set PATH.
  const std::string gpgv = find_host_program("gpgv");
  if (gpgv.empty()) {
    return plain_error("verify the signature", "gpgv", "it is not installed",
                       "apt-get install gpgv");
  }
  std::vector<os::Fd> files;
  Program program{gpgv, {"--status-fd", "1"}, {}, {}, {}, 0, false};
  const auto share = [&](const std::string& bytes) -> Result<std::string> {
    files.emplace_back(TRY(memory_file(bytes)));
    program.shared.push_back(files.back().get());
    return os::fd_path(files.back().get());
  };
  for (const std::string& keyring : keyrings) {
    program.arguments.insert(program.arguments.end(), {"--keyring", TRY(share(keyring))});
  }
  // One that is empty keeps gpgv from the caller's own.
  if (keyrings.empty()) {
    program.arguments.insert(program.arguments.end(), {"--keyring", "/dev/null"});
  }
  program.arguments.push_back(TRY(share(signature)));
  program.arguments.push_back(TRY(share(message)));
  const ProgramEnd end = TRY(run_program(program));
  if (end.status >= 126) return plain_error("verify the signature", gpgv, "it cannot be run");
  return read_answer(end.out);
}

Result<PgpSigned> sign_pgp(const std::string& message, const std::string& key,
                           const std::optional<std::string>& passphrase) {
  const std::string gpg = TRY(find_program("gpg", "gnupg"));
  os::Fd secret;
  Program program{gpg, {}, message, {}, {}, 0, false};
  if (passphrase) {
    secret = os::Fd(TRY(memory_file(*passphrase)));
    program.shared.push_back(secret.get());
  }
  program.arguments = with_passphrase({"--batch", "--yes", "--status-fd", "2"}, secret.get());
  if (!key.empty()) program.arguments.insert(program.arguments.end(), {"--local-user", key});
  program.arguments.insert(program.arguments.end(), {"--armor", "--detach-sign", "-"});
  const ProgramEnd end = TRY(run_program(program));
  const auto made = status_words(end.err, "SIG_CREATED");
  if (end.status != 0 || made.empty()) {
    std::string words;
    for (const std::string& line : split(end.err, '\n')) {
      if (!line.starts_with("[GNUPG:]")) words += line + "\n";
    }
    return said_by_gpg("sign with gpg", key.empty() ? "the default key" : key, words);
  }
  PgpSigned out{end.out, {}, made[0].substr(made[0].rfind(' ') + 1)};
  out.key =
      TRY(run_gpg({"--armor", "--export-options", "export-minimal", "--export", out.fingerprint},
                  {}, "export the key", out.fingerprint));
  return out;
}

Result<std::string> export_pgp(const std::string& key) {
  const std::string bytes = TRY(
      run_gpg({"--export-options", "export-minimal", "--export", key}, {}, "export the key", key));
  if (bytes.empty()) {
    return plain_error("export the key", key, "gpg knows no such key",
                       "gpg --import FILE first, or name the file");
  }
  return bytes;
}

}  // namespace rootlet::trust
