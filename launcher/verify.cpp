// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "launcher/command_line.hpp"
#include "launcher/configuration.hpp"
#include "launcher/data_store.hpp"
#include "launcher/hash_progress.hpp"
#include "launcher/image_trust.hpp"
#include "launcher/verbs.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/judged_source.hpp"
#include "trust/verdict.hpp"

namespace rootlet {
namespace {

using trust::Finding;
using trust::Verdict;

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet verify tool.AppImage && ./tool.AppImage ...\n"
    "  rootlet verify --key maker.pub tool.AppImage     by this key alone\n"
    "  rootlet verify -q *.AppImage\n"
    "\n"
    "The keys are those of `rootlet trust`; a key in a file counts for nothing.\n"
    "Exit status: 0 all are signed by keys you trust, 1 not all are, 125 no telling.\n";

struct VerifyLine {
  std::vector<std::string> images, keys;
  bool image = false, json = false, quiet = false;
};

Result<trust::KeyStore> keys_of(const VerifyLine& line) {
  using trust::KeyStore;
  if (line.keys.empty()) {
    TRY(configured_options(environ));
    return KeyStore::open(VerifySettings::of_this_run().whose_keys());
  }
  std::vector<trust::TrustedKey> keys;
  for (const std::string& path : line.keys) {
    std::string bytes = path;  // minisign's own -P: the key itself
    if (!path.starts_with("RW")) {
      const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY));
      bytes = TRY(os::read_file(AT_FDCWD, os::fd_path(file.get()), 1 << 20));
    }
    keys.push_back(TRY(trust::read_key(bytes, path)));
    keys.back().name = path.substr(path.rfind('/') + 1);
  }
  return KeyStore(std::move(keys));
}

Result<Verdict> judge_image(const VerifyLine& line, const std::string& image,
                            const trust::KeyStore& keys) {
  const os::Fd opened = TRY(os::open_at(AT_FDCWD, location_file(image), O_RDONLY | O_NONBLOCK));
  trust::SignedFile file = TRY(trust::signed_file(opened.get(), location_file(image)));
  file.image = TRY(locate_part(opened.get(), image));
  if (line.image) return trust::judge_seal(file, keys);
  HashProgress progress("reading " + image);
  Verdict verdict = TRY(trust::judge(file, keys, progress.callback()));
  if (!verdict.by_seal) return verdict;
  // The signature names a digest; these are the bytes that it stands for.
  const auto sound =
      check_whole(TRY(find_payload_in(file.image, image)), image, progress.callback());
  if (sound.ok()) return verdict;
  if (sound.error().code != 0) return sound.error();
  verdict.answer = Verdict::Answer::bad;
  verdict.reason = sound.error().reason;
  return verdict;
}

std::string_view state_text(Finding::State state) {
  switch (state) {
    case Finding::State::good: return "good";
    case Finding::State::unknown_key: return "unknown key";
    case Finding::State::bad: return "bad";
    case Finding::State::unchecked: return "not checked";
  }
  return "bad";
}

std::string_view kind_text(Finding::Kind kind) {
  return kind == Finding::Kind::gpg ? "GPG" : "minisign";
}

std::string verdict_as_text(const std::string& image, const Verdict& verdict) {
  std::string text = printable(image) + ": " + std::string(trust::answer_text(verdict.answer)) +
                     ": " + printable(verdict.reason) + "\n";
  for (const Finding& finding : verdict.findings) {
    text += "  " + std::string(kind_text(finding.kind)) + ", " + printable(finding.place) + ": " +
            std::string(state_text(finding.state)) + ", key " +
            (finding.key.empty() ? "unknown" : printable(finding.key)) + "\n";
    if (finding.by && !finding.by->user.empty()) {
      text += "    calls itself " + printable(finding.by->user) + "\n";
    }
    if (finding.by && finding.minisign) {
      std::string comment = finding.minisign->trusted_comment;
      std::replace(comment.begin(), comment.end(), '\t', ' ');
      text += "    " + printable(comment) + "\n";
    }
    if (finding.by && finding.statement) {
      const trust::Statement& said = *finding.statement;
      text += "    its image: " + printable(said.digest) + " " + printable(said.name) + " " +
              printable(said.version) + "\n";
      for (const std::string& data : said.data) text += "    data " + printable(data) + "\n";
    }
  }
  return text;
}

nlohmann::ordered_json verdict_as_json(const std::string& image, const Verdict& verdict) {
  nlohmann::ordered_json json;
  json["file"] = image;
  json["answer"] = trust::answer_text(verdict.answer);
  json["reason"] = verdict.reason;
  json["signatures"] = nlohmann::ordered_json::array();
  for (const Finding& finding : verdict.findings) {
    nlohmann::ordered_json one;
    one["kind"] = finding.kind == Finding::Kind::gpg ? "gpg" : "minisign";
    one["place"] = finding.place;
    one["state"] = state_text(finding.state);
    one["covers"] = finding.of_image ? "image" : "file";
    if (finding.by && finding.statement) {
      one["statement"] = {{"digest", finding.statement->digest},
                          {"name", finding.statement->name},
                          {"version", finding.statement->version},
                          {"data", finding.statement->data}};
    }
    one["key"] = finding.key;
    one["trusted_as"] = finding.by ? finding.by->name : "";
    one["comment"] = finding.by && finding.minisign ? finding.minisign->trusted_comment : "";
    one["why"] = finding.why;
    json["signatures"].push_back(one);
  }
  return json;
}

int verify(const VerifyLine& line) {
  const auto keys = keys_of(line);
  if (!keys.ok()) {
    print_error(keys.error());
    return keys.error().exit_code;
  }
  int code = 0;
  auto list = nlohmann::ordered_json::array();
  for (const std::string& image : line.images) {
    const auto verdict = judge_image(line, image, keys.value());
    if (!verdict.ok()) {
      print_error(verdict.error());
      code = 125;
      continue;
    }
    if (!verdict.value().is_good() && code == 0) code = 1;
    list.push_back(verdict_as_json(image, verdict.value()));
    if (line.json || line.quiet) continue;
    std::fputs(verdict_as_text(image, verdict.value()).c_str(), stdout);
    if (verdict.value().answer == Verdict::Answer::image_only) {
      std::fputs("hint: rootlet run executes the image alone, which --image judges\n", stderr);
    }
    if (verdict.value().answer == Verdict::Answer::unknown_key) {
      std::fprintf(stderr, "hint: if you know the key to be its maker's: rootlet trust add %s\n",
                   image.c_str());
    }
  }
  if (line.json) {
    const auto text = list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
  }
  return code;
}

}  // namespace

int verify_verb(int argc, char** argv) {
  VerifyLine line;
  CLI::App app("Is an image signed by somebody you trust?", "rootlet verify");
  app.footer(kExamples);
  app.add_option("IMAGE", line.images, "any AppImage, sealed squashfs, FILE with FILE.minisig")
      ->required();
  app.add_option("--key", line.keys, "trust this public key alone (a file, or RW...)")
      ->allow_extra_args(false);
  app.add_flag("--image", line.image, "its image alone, by its seal, at once, as run does");
  app.add_flag("--json", line.json, "as JSON");
  app.add_flag("-q,--quiet", line.quiet, "only the exit status");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  return verify(line);
}

}  // namespace rootlet
