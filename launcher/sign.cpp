// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/passphrase.hpp"
#include "launcher/signer.hpp"
#include "launcher/successor.hpp"
#include "launcher/verbs.hpp"
#include "launcher/zsync_file.hpp"
#include "trust/verdict.hpp"

namespace rootlet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet sign --new-key                a key pair, as minisign -G makes it\n"
    "  rootlet sign tool.AppImage            by ~/.minisign/minisign.key, inside it\n"
    "  rootlet sign --name pfam pfam.sqfs    an image of data, in its seal\n"
    "  rootlet sign --beside any.tar         any.tar.minisig, which minisign -V reads\n"
    "  rootlet sign --gpg tool.AppImage      as AppImage tools expect it\n"
    "  rootlet sign -s my.key -s alice@example.org tool.AppImage     both kinds\n"
    "\n"
    "IMAGE is replaced at once or not at all; a run of it goes on. What a signature\n"
    "proves, and to whom: rootlet-sign(1), rootlet verify.\n";

struct SignLine {
  std::vector<std::string> images;
  SigningRequest with;
  std::string put, statement;
  bool new_key = false, plain_key = false, beside = false, remove = false, zsync = false;
  bool quiet = false;
};

// Both files or none; never over a key that is there.
Status write_new(const std::string& path, const std::string& text, unsigned mode) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL;
  auto file = os::open_at(AT_FDCWD, path, flags, mode);
  if (!file.ok() && file.error().code == EEXIST) {
    return plain_error("make a key", path, "it is there already", "-s FILE names another");
  }
  const os::Fd fd = TRY(std::move(file));
  return os::write_all(fd.get(), text, "make a key", path);
}

Status make_key(const SignLine& line) {
  const std::string secret = line.with.keys.empty() ? default_secret_key() : line.with.keys[0];
  std::string stem = secret.ends_with(".key") ? secret.substr(0, secret.size() - 4) : secret;
  std::string passphrase;
  if (!line.plain_key) {
    passphrase = line.with.passphrase_file.empty()
                     ? TRY(ask_passphrase("Passphrase for the new key: ", true))
                     : TRY(passphrase_from_file(line.with.passphrase_file));
    if (passphrase.empty()) {
      return plain_error("make a key", secret, "the passphrase is empty",
                         "--no-passphrase makes a key that everybody who reads it can use");
    }
  }
  const trust::SecretKey key = trust::SecretKey::generate();
  const std::string text = TRY(key.file_text(passphrase));
  if (line.with.keys.empty()) ::mkdir(secret.substr(0, secret.rfind('/')).c_str(), 0700);
  TRY(write_new(secret, text, 0600));
  const auto written = write_new(stem + ".pub", key.public_key().file_text(), 0644);
  if (!written.ok()) {
    ::unlink(secret.c_str());
    return written;
  }
  std::printf("secret key: %s (keep it to yourself)\npublic key: %s.pub, %s\n", secret.c_str(),
              stem.c_str(), key.public_key().base64().c_str());
  return Done{};
}

Status sign_beside(const Signer& signer, const std::string& image, bool quiet) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, image, O_RDONLY | O_NONBLOCK));
  const std::string text = TRY(signer.sign_beside(file.get(), image));
  packaging::OutputFile output = TRY(packaging::OutputFile::create(image + ".minisig"));
  TRY(os::write_all(output.fd(), text, "write the signature", image + ".minisig"));
  TRY(output.publish(0644));
  if (!quiet) std::printf("%s.minisig: signed\n", image.c_str());
  return Done{};
}

// A signature or sum beside the file that was made of other bytes than it has now.
void tell_stale(const std::string& image) {
  for (const auto& [suffix, hint] : {std::pair{".minisig", "rootlet sign --beside makes it anew"},
                                     std::pair{".zsync", "--zsync makes it anew"}}) {
    const std::string path = image + suffix;
    if (::access(path.c_str(), F_OK) != 0) continue;
    std::fprintf(stderr, "note: %s is of the file as it was; %s\n", path.c_str(), hint);
  }
}

Status change(const SignLine& line, const Signer* signer, const std::string& image) {
  Successor file = TRY(Successor::copy_of(image));
  std::vector<std::string> lines;
  if (line.remove) {
    TRY(remove_signatures(file.fd(), image));
    lines.emplace_back("its signatures are removed");
  } else if (!line.put.empty()) {
    const os::Fd from = TRY(os::open_at(AT_FDCWD, line.put, O_RDONLY));
    const std::string text = TRY(os::read_file(AT_FDCWD, os::fd_path(from.get()), 65536));
    if (line.statement.empty()) {
      TRY(put_signature(file.fd(), image, text));
    } else {
      const os::Fd said = TRY(os::open_at(AT_FDCWD, line.statement, O_RDONLY));
      const std::string words = TRY(os::read_file(AT_FDCWD, os::fd_path(said.get()), 65536));
      TRY(put_statement(file.fd(), image, words, text));
    }
    lines.push_back("it carries " + line.put + " now");
  } else {
    lines = TRY(signer->sign_inside(file.fd(), image));
  }
  TRY(file.take_place());
  if (line.zsync) TRY(make_zsync_file(file.path()));
  for (const std::string& text : lines) {
    if (!line.quiet) std::printf("%s: %s\n", image.c_str(), text.c_str());
  }
  if (!line.zsync && !line.quiet) tell_stale(image);
  return Done{};
}

// For a key that is kept elsewhere: what minisign is to sign there.
Status write_statement(const SignLine& line) {
  const std::string& image = line.images.front();
  const os::Fd file = TRY(os::open_at(AT_FDCWD, image, O_RDONLY | O_NONBLOCK));
  ImageIdentity identity = TRY(read_identity(file.get(), image));
  if (!line.with.name.empty()) identity.name = line.with.name;
  if (!line.with.version.empty()) identity.version = line.with.version;
  const std::string text = TRY(image_statement(file.get(), image, identity)).text();
  packaging::OutputFile output = TRY(packaging::OutputFile::create(line.statement));
  TRY(os::write_all(output.fd(), text, "write the statement", line.statement));
  return output.publish(0644);
}

Status sign_all(const SignLine& line) {
  if (line.new_key) return make_key(line);
  if (line.images.empty()) {
    return plain_error("read the command line", "rootlet sign", "no IMAGE is given",
                       "rootlet sign --help");
  }
  if (!line.statement.empty() && line.images.size() > 1) {
    return plain_error("read the command line", line.statement, "a statement is of one image",
                       "one IMAGE at a time");
  }
  if (!line.statement.empty() && line.put.empty()) return write_statement(line);
  std::optional<Signer> signer;
  if (!line.remove && line.put.empty()) signer = TRY(Signer::open(line.with));
  for (const std::string& image : line.images) {
    if (line.beside) {
      TRY(sign_beside(*signer, image, line.quiet));
    } else {
      TRY(change(line, signer ? &*signer : nullptr, image));
    }
  }
  return Done{};
}

void declare(CLI::App& app, SignLine& line) {
  app.add_option("IMAGE", line.images, "the files to sign");
  const char* with = "With what";
  app.add_option("-s,--key", line.with.keys,
                 "minisign's secret key file, or a key that gpg knows [~/.minisign/minisign.key]")
      ->group(with)
      ->allow_extra_args(false);
  app.add_flag("--gpg", line.with.gpg, "with gpg's default key")->group(with);
  app.add_option("--passphrase-file", line.with.passphrase_file, "its first line [a question]")
      ->group(with);
  app.add_option("-t,--comment", line.with.comment, "more for the signed comment")->group(with);
  app.add_option("--name", line.with.name, "of an image that does not say its own [none]")
      ->group(with);
  app.add_option("--tool-version", line.with.version, "the same")->group(with);
  const char* what = "What else";
  auto* beside = app.add_flag("--beside", line.beside, "leave IMAGE as it is, write IMAGE.minisig")
                     ->group(what);
  app.add_option("--put", line.put, "put this signature, made by minisign, into IMAGE")
      ->group(what)
      ->excludes(beside);
  app.add_option("--statement", line.statement,
                 "write what minisign is to sign of IMAGE; with --put, what SIG is of")
      ->group(what)
      ->excludes(beside);
  app.add_flag("--remove", line.remove, "take all signatures out of IMAGE")
      ->group(what)
      ->excludes(beside);
  app.add_flag("--zsync", line.zsync, "make IMAGE.zsync anew")->group(what)->excludes(beside);
  app.add_flag("--new-key", line.new_key, "make a key pair")->group(what);
  app.add_flag("--no-passphrase", line.plain_key, "of the new key")->group(what);
  app.add_flag("-q,--quiet", line.quiet, "say nothing")->group(what);
}

}  // namespace

int sign_verb(int argc, char** argv) {
  SignLine line;
  CLI::App app("Signs images: minisign's format, or GPG's as AppImages carry it.", "rootlet sign");
  app.footer(kExamples);
  declare(app, line);
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const auto done = sign_all(line);
  if (done.ok()) return 0;
  print_error(done.error());
  return done.error().exit_code;
}

}  // namespace rootlet
