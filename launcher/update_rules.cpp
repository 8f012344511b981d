// SPDX-License-Identifier: MIT
#include "launcher/update_rules.hpp"

#include <charconv>
#include <cstdint>

#include "launcher/data_store.hpp"
#include "launcher/hash_progress.hpp"
#include "launcher/image_identity.hpp"
#include "runtime/payload/payload.hpp"
#include "trust/version_order.hpp"

namespace rootlet {
namespace {

using trust::Finding;
using trust::KeyStore;
using trust::Verdict;

constexpr std::string_view kUpdate = "update";

Result<Verdict> judge_side(const UpdateSide& side, const KeyStore& keys) {
  trust::SignedFile file = TRY(trust::signed_file(side.fd, side.name));
  file.beside = side.signatures;
  HashProgress progress("checking the signature");
  return trust::judge(file, keys, progress.callback());
}

// The keys that really made the signatures of a file, trusted or not.
std::vector<trust::TrustedKey> makers(const Verdict& verdict) {
  std::vector<trust::TrustedKey> keys;
  for (const Finding& finding : verdict.findings) {
    const bool holds =
        finding.state == Finding::State::good || finding.state == Finding::State::unknown_key;
    if (holds && finding.by) keys.push_back(*finding.by);
  }
  return keys;
}

std::string names_of(const std::vector<trust::TrustedKey>& keys) {
  std::string text;
  for (const trust::TrustedKey& key : keys) {
    text += (text.empty() ? "" : " and ") + (key.name.empty() ? key.id : key.name);
  }
  return text;
}

// The one who signed the old file signed the new one.
Status check_maker(const Verdict& old, const UpdateSide& fresh, const Verdict& new_one,
                   const UpdateRules& rules) {
  if (rules.allow_key_change || old.answer == Verdict::Answer::not_signed) return Done{};
  constexpr std::string_view kHint = "if you know why: --allow-key-change";
  const std::vector<trust::TrustedKey> keys = makers(old);
  if (keys.empty() && new_one.answer != Verdict::Answer::not_signed) {
    if (new_one.is_good()) return Done{};
    return plain_error(kUpdate, fresh.name,
                       "nobody can tell whether its maker is the old one's: " + old.reason, kHint);
  }
  const Verdict same = TRY(judge_side(fresh, KeyStore(keys)));
  if (same.is_good()) return Done{};
  if (same.answer == Verdict::Answer::not_signed) {
    return plain_error(kUpdate, fresh.name,
                       "it is not signed, and the old one is" +
                           (keys.empty() ? std::string() : ", by " + names_of(keys)),
                       kHint);
  }
  if (same.answer == Verdict::Answer::image_only) {
    return plain_error(kUpdate, fresh.name, same.reason, kHint);
  }
  return plain_error(kUpdate, fresh.name,
                     "it is signed by another key than the old one: " + names_of(makers(new_one)) +
                         " instead of " + names_of(keys),
                     kHint);
}

std::uint64_t signed_at(const Verdict& verdict) {
  for (const Finding& finding : verdict.findings) {
    if (!finding.by || !finding.minisign) continue;
    const auto text = trust::comment_field(*finding.minisign, "timestamp");
    std::uint64_t time = 0;
    if (text && std::from_chars(text->data(), text->data() + text->size(), time).ec == std::errc{})
      return time;
  }
  return 0;
}

std::string version_text(const ImageIdentity& image) {
  return image.version.empty() ? "of an unknown version" : image.version;
}

// An old version, or another tool of the same maker, is signed as well as any.
Status check_order(const ImageIdentity& old, const ImageIdentity& fresh, const std::string& name,
                   std::uint64_t old_time, std::uint64_t new_time, const UpdateRules& rules) {
  if (old.machine != fresh.machine) {
    return plain_error(kUpdate, name, "it is for another kind of processor");
  }
  if (rules.allow_downgrade) return Done{};
  constexpr std::string_view kHint = "if you want that one: --allow-downgrade";
  if (!old.name.empty() && !fresh.name.empty() && old.name != fresh.name) {
    return plain_error(
        kUpdate, name,
        "it is another tool: " + printable(fresh.name) + " instead of " + printable(old.name),
        kHint);
  }
  const bool known = !old.version.empty() && !fresh.version.empty();
  const int order = known ? trust::compare_versions(fresh.version, old.version) : 0;
  if (order < 0) {
    return plain_error(
        kUpdate, name,
        "it is older: " + printable(fresh.version) + " instead of " + printable(old.version),
        kHint);
  }
  if (order == 0 && new_time != 0 && new_time < old_time) {
    return plain_error(kUpdate, name, "it was signed before the one that is here", kHint);
  }
  return Done{};
}

Status check_trust(const Verdict& verdict, const std::string& name, const UpdateRules& rules,
                   std::vector<std::string>& notes) {
  if (verdict.answer == Verdict::Answer::bad) {
    return plain_error(kUpdate, name, "its signature is bad: " + verdict.reason,
                       "the server, or somebody on the way, has changed it");
  }
  if (verdict.is_good() || rules.verify == Verify::off) return Done{};
  if (rules.verify == Verify::require) {
    return plain_error(kUpdate, name, verdict.reason, "rootlet trust add KEY");
  }
  notes.push_back("note: " + verdict.reason);
  return Done{};
}

// What a seal's signature counts on.
Status check_bytes(const UpdateSide& fresh) {
  const trust::SignedFile file = TRY(trust::signed_file(fresh.fd, fresh.name));
  HashProgress progress("checking the image");
  return check_whole(TRY(find_payload_in(file.image, fresh.name)), fresh.name, progress.callback());
}

}  // namespace

Result<std::vector<std::string>> judge_update(const UpdateSide& old, const UpdateSide& fresh,
                                              const UpdateRules& rules) {
  std::vector<std::string> notes;
  const KeyStore keys = TRY(KeyStore::open(VerifySettings::of_this_run().whose_keys()));
  // Before anything of the new file is read as an image.
  const Verdict was = TRY(judge_side(old, keys)), is = TRY(judge_side(fresh, keys));
  TRY(check_trust(is, fresh.name, rules, notes));
  if (is.by_seal) TRY(check_bytes(fresh));
  TRY(check_maker(was, fresh, is, rules));
  const auto before = read_identity(old.fd, old.name);
  const ImageIdentity after = TRY(read_identity(fresh.fd, fresh.name));
  // A damaged file may be mended by an update of it.
  const ImageIdentity known =
      before.ok() ? before.value() : ImageIdentity{{}, {}, {}, after.machine};
  TRY(check_order(known, after, fresh.name, signed_at(was), signed_at(is), rules));
  if (is.is_good()) notes.push_back(is.reason);
  if (known.version.empty() || after.version.empty()) {
    notes.emplace_back("note: nothing says which version is newer");
  } else {
    notes.push_back("version " + printable(version_text(after)) + ", was " +
                    printable(version_text(known)));
  }
  return notes;
}

}  // namespace rootlet
