// SPDX-License-Identifier: MIT
#include "trust/statement.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "packaging/seal_image.hpp"
#include "runtime/os/fd.hpp"
#include "trust/key_store.hpp"
#include "trust/verdict.hpp"
#include "trust/version_order.hpp"

using namespace rootlet;
using namespace rootlet::trust;

namespace {

Statement statement() {
  return {"sha256:12", "hmmer", "3.4", {"pfam sha256:34", "uniref sha256:56"}};
}

int sign_of(int order) { return (order > 0) - (order < 0); }

}  // namespace

TEST_CASE("a statement is read back as it was written") {
  const std::string text = statement().text();
  CHECK(text ==
        "rootlet image 1\ndigest: sha256:12\nname: hmmer\nversion: 3.4\n"
        "data: pfam sha256:34\ndata: uniref sha256:56\n");
  const auto read = parse_statement(text, "t");
  REQUIRE(read.ok());
  CHECK(read.value().text() == text);
  CHECK(read.value().data.size() == 2);
  CHECK(Statement{"sha256:12", "", "", {}}.text() == "rootlet image 1\ndigest: sha256:12\n");
}

TEST_CASE("a value cannot end its line and begin another one") {
  Statement lying = statement();
  lying.name = "x\nversion: 9";
  const auto read = parse_statement(lying.text(), "t");
  REQUIRE(read.ok());
  CHECK(read.value().version == "3.4");
  CHECK(read.value().name == "x version: 9");
}

TEST_CASE("a statement that can be read in two ways is none") {
  const std::string text = statement().text();
  for (const std::string& wrong :
       {std::string(), text.substr(1), text.substr(0, text.size() - 1), text + "\n",
        text + "x: y\n", text + "name: other\n", "rootlet image 2" + text.substr(15)}) {
    INFO(wrong);
    CHECK_FALSE(parse_statement(wrong, "t").ok());
  }
}

TEST_CASE("a seal takes a signature up to its end, keeps its digest, and gives it back") {
  const os::Fd file(::memfd_create("image", MFD_CLOEXEC));
  const Payload payload{file.get(), 0, 50000};
  REQUIRE(::ftruncate(file.get(), 50000) == 0);
  const Seal seal = packaging::seal_image(payload, "image", 1).value();
  REQUIRE(put_seal_signature(payload, std::string(Seal::kSignatureMost, 'x'), "image").ok());
  auto read = read_seal(payload, "image").value();
  CHECK(read->digest == seal.digest);
  CHECK(read->signature == std::string(Seal::kSignatureMost, 'x'));
  CHECK_FALSE(
      put_seal_signature(payload, std::string(Seal::kSignatureMost + 1, 'x'), "image").ok());
  REQUIRE(put_seal_signature(payload, "", "image").ok());
  CHECK(read_seal(payload, "image").value()->signature.empty());
  CHECK(end_of_seal(payload, seal) == 53248 + 4096 + 16384);
}

TEST_CASE("a seal without a signature, and a file without a seal, are not signed") {
  const os::Fd file(::memfd_create("image", MFD_CLOEXEC));
  REQUIRE(::ftruncate(file.get(), 50000) == 0);
  const FileRange all{file.get(), 0, 50000};
  const auto verdict = judge_seal({all, all, "image", {}}, KeyStore({}));
  REQUIRE(verdict.ok());
  CHECK(verdict.value().answer == Verdict::Answer::not_signed);
}

TEST_CASE("versions are ordered as Debian orders them") {
  const char* in_order[] = {"1.0~rc1", "1.0", "1.0a", "1.0.1", "1.2", "1.10", "1.010.1", "2"};
  for (std::size_t i = 0; i < std::size(in_order); ++i) {
    for (std::size_t j = 0; j < std::size(in_order); ++j) {
      INFO(in_order[i] << " and " << in_order[j]);
      CHECK(sign_of(compare_versions(in_order[i], in_order[j])) == (i > j) - (i < j));
    }
  }
  CHECK(compare_versions("1.0", "1.00") == 0);
}
