// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/payload/seal.hpp"
#include "trust/verdict.hpp"

// How one signature is judged. Private to verdict.cpp.
namespace rootlet::trust {

// The texts of signatures inside of a file. `bad`: places that hold something
// else than a text and zeros.
struct InsideTexts {
  std::string minisign, gpg, gpg_key;
  std::vector<Finding> bad;
};
InsideTexts read_inside(const SignedFile& file, const SignatureSections& places);

Finding bad_finding(Finding::Kind kind, const std::string& place, const Error& error);

class Judge {
 public:
  Judge(const KeyStore& keys, const std::string& name, const HashProgress& progress)
      : keys_(keys), name_(name), progress_(progress) {}

  // A text of minisign's, of these bytes.
  Result<Finding> minisign(const std::string& text, const std::string& place,
                           const FileRange& bytes, const std::vector<ZeroRange>& zeroed) const;

  // The signature of a seal: of its image alone.
  Result<Finding> seal(const Seal& seal) const;

  // GPG's, with the key that the file carries (both armored).
  Result<Finding> gpg(const std::string& text, const std::string& carried, const FileRange& image,
                      const SignatureSections& places) const;

 private:
  using Message = std::function<Result<std::string>()>;
  Result<Finding> by_keys(Finding finding, const Message& message,
                          const std::string& otherwise) const;
  Result<std::string> signed_message(const Signature& signature, const FileRange& bytes,
                                     const std::vector<ZeroRange>& zeroed) const;
  Result<Finding> gpg_by_carried(Finding finding, const std::string& text,
                                 const std::string& digest, const std::string& carried) const;

  const KeyStore& keys_;
  const std::string& name_;
  const HashProgress& progress_;
};

}  // namespace rootlet::trust
