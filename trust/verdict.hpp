// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trust/key_store.hpp"
#include "trust/minisign_signature.hpp"
#include "trust/signature_sections.hpp"
#include "trust/statement.hpp"

namespace rootlet::trust {

// The file that is judged: open, as a whole, and the part of it that is the
// AppImage (all of it, or an entry of a jar).
struct SignedFile {
  FileRange whole, image;
  std::string name;                 // for messages
  std::vector<std::string> beside;  // signatures of the whole, where they exist
};

// The usual one: all of the open file, and NAME.minisig beside it; also beside
// what NAME is a symlink to.
Result<SignedFile> signed_file(int fd, const std::string& name);

// One signature, and what became of it.
struct Finding {
  enum class Kind {
    minisign,
    gpg
  };
  enum class State {
    good,         // by a key that is trusted
    unknown_key,  // by one that is not, whatever the file says of it
    bad,          // not of these bytes; expired; revoked; unreadable
    unchecked     // gpgv cannot run; another signature is good
  };
  Kind kind = Kind::minisign;
  State state = State::bad;
  std::string place;  // "inside", "in the seal", or the path of the file beside it
  std::string key;    // its id, or fingerprint
  std::string why;    // of a state other than good
  // What it was checked with, and what it holds for: a trusted key, or the one
  // that the file carries, which has no name.
  std::optional<TrustedKey> by;
  std::optional<Signature> minisign;  // its comment counts where `by` is set
  // Of a seal: it is a signature of the squashfs, not of the program in front of
  // it, and of its bytes only as far as they are checked when they are read.
  bool of_image = false;
  std::optional<Statement> statement;
};

struct Verdict {
  enum class Answer {
    good,         // one good signature at least, and no bad one
    image_only,   // of the squashfs, and nobody vouches for the program in front
    unknown_key,  // signed, but by nobody who is trusted
    bad,
    not_signed
  };
  Answer answer = Answer::not_signed;
  std::string reason;  // in a line, with the key or what is wrong
  std::vector<Finding> findings;

  // Rests on a seal alone: whoever needs all bytes now has to check them by it.
  bool by_seal = false;

  bool is_good() const { return answer == Answer::good; }
};

// Checks every signature of the file against these keys. A key inside of the
// file vouches for nothing. Errors: what cannot be told, a file that cannot be
// read for example; never a reason to go on.
Result<Verdict> judge(const SignedFile& file, const KeyStore& keys,
                      const HashProgress& progress = {});

// Checks the signature of the image's seal alone, which takes no longer for a
// large one. Enough for who executes nothing in front of the image, and reads of it
// only what its seal vouches for. *good* by a trusted key, however the rest was changed.
Result<Verdict> judge_seal(const SignedFile& file, const KeyStore& keys);

// "good", "image only", "unknown key", "bad", "not signed".
std::string_view answer_text(Verdict::Answer answer);

// What was done to a file since it had `signed_size` bytes.
std::string change_text(std::uint64_t signed_size, std::uint64_t size);

// The untrusted comment of our signatures, which carries the key for whoever
// wants to know next time whether it is the same one.
std::string comment_with_key(const PublicKey& key);

}  // namespace rootlet::trust
