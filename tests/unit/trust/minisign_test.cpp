// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "trust/base64.hpp"
#include "trust/content_hash.hpp"
#include "trust/minisign_key.hpp"
#include "trust/minisign_signature.hpp"

using namespace rootlet;
using namespace rootlet::trust;
using Catch::Matchers::Contains;

namespace {

// Made by Debian's minisign 0.11 (-GW, -S, -S -l) for a file that holds this text.
const std::string kMessage = "a test\n";
const std::string kPublic =
    "untrusted comment: minisign public key 55B961E408EAEFC4\n"
    "RWTE7+oI5GG5VRP4EBgGSVAoZSM+l48Dh8Lznhfd+F5DFJ5vwHHwiqc7\n";
const std::string kSecret =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAxO/"
    "qCORhuVWzBawtNO4i6jh8"
    "mMfo03NTwC5emJnMVf6C+d8nscUDuxP4EBgGSVAoZSM+l48Dh8Lznhfd+"
    "F5DFJ5vwHHwiqc7AAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAA=\n";
const std::string kSignature =
    "untrusted comment: signature from minisign secret key\n"
    "RUTE7+oI5GG5VQ/U8pqgW+/DUqfevc1rKBGYOd8+ZnGL/dICmFKFgD6D49aI+9qSwwHtwPVpKwv3j4F9v70GT7TJqy3/"
    "FoPHPQ4=\n"
    "trusted comment: timestamp:1700000000\tfile:t\tversion:1.2\n"
    "UulA5riWXGKkszGzUcO2pfWDrRV0aC9KPqyhr6PtWh3y4SY3M3VSkvVcsalTbiGvap80LKDTUr5gntol7wxuDQ==\n";
const std::string kLegacy =
    "untrusted comment: signature from minisign secret key\n"
    "RWTE7+oI5GG5VemH+"
    "CRZFxnvIMgknb41vZdGwyDogUPdYUzlDwoHZ0OaBXA27RXSGsLQTGQS5R8WofJdjyPCMgl0JzXyxtn2"
    "2gE=\n"
    "trusted comment: old form\n"
    "vvL6KHkVCTPVEHmoDHrDU2gAjazdP/LdNCPuSWsRRCTMof6IvyzrWE/nQzMQC+qjx2UHK37kICxc+/EF1VcYAQ==\n";

std::span<const unsigned char> bytes(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

bool holds(const std::string& text, const std::string& message) {
  const auto signature = parse_signature(text, "t");
  const auto key = parse_public_key(kPublic, "k");
  REQUIRE(signature.ok());
  REQUIRE(key.ok());
  if (!signature.value().prehashed) return is_good(signature.value(), key.value(), bytes(message));
  const Blake2b hash = blake2b_of_text(message);
  return is_good(signature.value(), key.value(), hash);
}

Result<std::string> no_passphrase() { return plain_error("ask", "", "nobody should have asked"); }

}  // namespace

TEST_CASE("a public key of minisign's is read, with its comment or without, and written the same") {
  const auto key = parse_public_key(kPublic, "k");
  REQUIRE(key.ok());
  CHECK(id_text(key.value().id) == "55B961E408EAEFC4");
  CHECK(key.value().file_text() == kPublic);
  CHECK(parse_public_key(key.value().base64(), "k").value() == key.value());
  const auto secret = parse_public_key(kSecret, "k");
  REQUIRE_FALSE(secret.ok());
  CHECK_THAT(secret.error().message(), Contains("secret key"));
  CHECK_FALSE(parse_public_key("RWQ", "k").ok());
}

TEST_CASE("minisign's signatures hold for the bytes that were signed, in both forms") {
  CHECK(holds(kSignature, kMessage));
  CHECK(holds(kLegacy, kMessage));
  CHECK_FALSE(holds(kSignature, "a tesT\n"));
  CHECK_FALSE(holds(kLegacy, "a test"));
}

TEST_CASE("a trusted comment cannot be changed, an untrusted one can") {
  std::string changed = kSignature;
  changed.replace(changed.find("version:1.2"), 11, "version:9.9");
  CHECK_FALSE(holds(changed, kMessage));
  changed = kSignature;
  changed.replace(changed.find("signature from"), 9, "something");
  CHECK(holds(changed, kMessage));
}

TEST_CASE("fields of a trusted comment are told apart by tabs") {
  const auto signature = parse_signature(kSignature, "t").value();
  CHECK(comment_field(signature, "timestamp") == "1700000000");
  CHECK(comment_field(signature, "version") == "1.2");
  CHECK_FALSE(comment_field(signature, "stamp").has_value());
  CHECK_FALSE(comment_field(signature, "name").has_value());
}

TEST_CASE("a signature is read back as it was written, and no other text is one") {
  CHECK(parse_signature(kSignature, "t").value().text() == kSignature);
  for (const std::string& wrong :
       {std::string(), kSignature + "x\n", kSignature.substr(0, kSignature.size() - 2),
        kSignature.substr(10), std::string("untrusted comment: x\nRUQ=\n"), kPublic}) {
    INFO(wrong);
    CHECK_FALSE(parse_signature(wrong, "t").ok());
  }
}

TEST_CASE("a secret key of minisign -W signs as minisign does") {
  auto secret = SecretKey::parse(kSecret, "k", no_passphrase);
  REQUIRE(secret.ok());
  CHECK(secret.value().public_key() == parse_public_key(kPublic, "k").value());
  CHECK(secret.value().file_text("").value() == kSecret);
  const Signature made = sign(blake2b_of_text(kMessage), secret.value(),
                              "timestamp:1700000000\tfile:t\tversion:1.2", "x\ny");
  const Signature theirs = parse_signature(kSignature, "t").value();
  CHECK(made.bytes == theirs.bytes);  // Ed25519 has one signature of one text
  CHECK(made.global == theirs.global);
  CHECK(made.untrusted_comment == "x y");
}

TEST_CASE("base64 has one text for the same bytes") {
  CHECK(to_base64(bytes("abcd")) == "YWJjZA==");
  CHECK(from_base64("YWJjZA==") == "abcd");
  for (const char* wrong :
       {"YWJjZA", "YWJjZA=", "YWJjZB==", "YWJj ZA==", "YWJjZA==\n", "?WJjZA=="}) {
    INFO(wrong);
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}
