// SPDX-License-Identifier: MIT
#include <elf.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "packaging/source.hpp"
#include "tests/support/image_maker.hpp"
#include "tests/support/tar_maker.hpp"

using namespace rootlet;
using namespace rootlet::packaging;
using Catch::Matchers::Contains;
using test::ImageMaker;
using test::TarMaker;
using test::TempDir;
using Json = nlohmann::json;

namespace {

std::string one_file(const std::string& name = "f", const std::string& bytes = "x") {
  return TarMaker().add({.name = name, .bytes = bytes}).make();
}

Result<Source> read(const std::string& spec, std::uint64_t maximum = 0,
                    const std::string& platform = "", std::uint16_t machine = EM_X86_64) {
  SourceRequest request;
  request.spec = spec;
  request.maximum = maximum;
  request.platform = platform;
  request.machine = machine;
  return read_source(request);
}

std::string fault(const std::string& spec, std::uint64_t maximum = 0) {
  const auto source = read(spec, maximum);
  return source.ok() ? "" : source.error().message();
}

}  // namespace

TEST_CASE("an OCI layout is recognised, and layers may be plain, gzip or zstd") {
  const TempDir dir;
  ImageMaker maker(dir);
  maker.layer(one_file("plain"));
  maker.layer(one_file("gz"), ::archive_write_add_filter_gzip);
  maker.layer(one_file("zst"), ::archive_write_add_filter_zstd);
  maker.layer("");
  maker.finish();
  const auto source = read(dir.path());
  REQUIRE(source.ok());
  CHECK(source.value().kind == Source::Kind::kOci);
  for (const char* name : {"plain", "gz", "zst"}) CHECK(source.value().tree.find(name));
}

TEST_CASE("the configuration becomes the policy") {
  const TempDir dir;
  ImageMaker maker(dir);
  maker.layer(one_file());
  maker.finish({{"Entrypoint", {"/bin/tool", "--fast"}},
                {"Cmd", {"-h"}},
                {"Env", {"PATH=/opt/bin:/bin", "BROKEN", "A=b=c"}},
                {"WorkingDir", "/work"},
                {"User", "1000:1000"},
                {"Volumes", {{"/data", Json::object()}}},
                {"Labels",
                 {{"org.opencontainers.image.title", "Tool"},
                  {"org.opencontainers.image.version", "1.2"},
                  {"org.opencontainers.image.licenses", "MIT"}}}});
  const auto source = read("oci:" + dir.path());
  REQUIRE(source.ok());
  const Policy& policy = source.value().policy;
  CHECK(policy.entrypoint == std::vector<std::string>{"/bin/tool", "--fast"});
  CHECK(policy.arguments == std::vector<std::string>{"-h"});
  CHECK(policy.env == std::vector<std::string>{"PATH=/opt/bin:/bin", "A=b=c"});
  CHECK(policy.workdir == "/work");
  CHECK((policy.name == "Tool" && policy.version == "1.2" && policy.licence == "MIT"));
  CHECK(policy.isolation == decltype(policy.isolation){{"writable", "/data"}});
  CHECK(source.value().tree.find("work")->is_directory());
  REQUIRE(source.value().notes.size() == 1);
  CHECK_THAT(source.value().notes[0], Contains("as the user 1000"));
}

TEST_CASE("without an entry point the command's first word is the program") {
  const TempDir dir;
  ImageMaker maker(dir);
  maker.layer(one_file()).finish({{"Cmd", {"./run", "fast"}}, {"WorkingDir", "/app"}});
  const auto source = read("oci:" + dir.path());
  REQUIRE(source.ok());
  CHECK(source.value().policy.entrypoint == std::vector<std::string>{"/app/run"});
  CHECK(source.value().policy.arguments == std::vector<std::string>{"fast"});
}

TEST_CASE("of several platforms the stub's is taken, or the one that was named") {
  const TempDir dir;
  ImageMaker x86(dir), arm(dir);
  const auto on = [](Json manifest, const char* architecture) {
    manifest["platform"] = {{"os", "linux"}, {"architecture", architecture}};
    return manifest;
  };
  const Json first = on(arm.layer(one_file("arm")).manifest(Json::object(), "arm64"), "arm64");
  const Json second = on(x86.layer(one_file("x86")).manifest(), "amd64");
  Json attestation = on(x86.manifest(), "unknown");
  attestation["annotations"] = {{"vnd.docker.reference.type", "attestation-manifest"}};
  const Json inner = x86.blob(ImageMaker::index_of({first, attestation, second}).dump(),
                              "application/vnd.oci.image.index.v1+json");
  x86.write_index({inner});
  const auto source = read("oci:" + dir.path());
  REQUIRE(source.ok());
  CHECK(source.value().tree.find("x86"));
  const auto named = read("oci:" + dir.path(), 0, "linux/arm64", EM_AARCH64);
  REQUIRE(named.ok());
  CHECK(named.value().tree.find("arm"));
  CHECK_THAT(read("oci:" + dir.path(), 0, "linux/s390x").error().message(),
             Contains("there are: linux/arm64, linux/amd64"));
  CHECK_THAT(read("oci:" + dir.path(), 0, "linux/arm64").error().message(),
             Contains("the stub for linux/amd64"));
}

TEST_CASE("of several images one has to be named") {
  const TempDir dir;
  ImageMaker one(dir), two(dir);
  const auto called = [](Json manifest, const char* name) {
    manifest["annotations"] = {{"org.opencontainers.image.ref.name", name}};
    return manifest;
  };
  one.write_index({called(one.layer(one_file("1")).manifest(), "v1"),
                   called(two.layer(one_file("2")).manifest(), "v2")});
  CHECK_THAT(fault("oci:" + dir.path()), Contains("it holds several: v1, v2"));
  CHECK(read("oci:" + dir.path() + ":v2").value().tree.find("2"));
  CHECK_THAT(fault("oci:" + dir.path() + ":v3"), Contains("there are: v1, v2"));
}

TEST_CASE(
    "a blob that is not what its digest says, or is missing or cut, is refused by its digest") {
  for (const char* how : {"changed", "cut", "missing"}) {
    const TempDir dir;
    ImageMaker maker(dir);
    maker.layer(one_file()).finish();
    const std::string digest = maker.layers()[0]["digest"];
    const std::string path = ImageMaker::blob_path(digest);
    std::string bytes = one_file();
    bytes[0] = 'F';
    if (how == std::string("cut")) bytes.resize(700);
    dir.write(path, bytes);
    if (how == std::string("missing")) std::filesystem::remove(dir / path);
    INFO(how);
    CHECK_THAT(fault("oci:" + dir.path()), Contains(digest.substr(7)));
  }
}

TEST_CASE("layers that are not those of the configuration are refused") {
  const TempDir dir;
  ImageMaker maker(dir);
  maker.layer(one_file("good"));
  Json manifest = maker.manifest();
  const std::string path = ImageMaker::blob_path(manifest["digest"]);
  const Json other = maker.blob(one_file("other"), "application/vnd.oci.image.layer.v1.tar");
  std::ifstream stream(dir / path);
  Json document = Json::parse(stream);
  document["layers"] = Json::array({other});
  maker.write_index({maker.blob(document.dump(), manifest["mediaType"])});
  CHECK_THAT(fault("oci:" + dir.path()), Contains("unpacked it has the digest"));
  document["layers"] = Json::array();
  maker.write_index({maker.blob(document.dump(), manifest["mediaType"])});
  CHECK_THAT(fault("oci:" + dir.path()), Contains("it names 1 layers, the manifest 0"));
}

TEST_CASE("indexes that lead into one another without an end are refused") {
  const TempDir dir;
  ImageMaker maker(dir);
  Json inner = maker.layer(one_file()).manifest();
  for (int depth = 0; depth < 9; ++depth) {
    inner =
        maker.blob(ImageMaker::index_of({inner}).dump(), "application/vnd.oci.image.index.v1+json");
  }
  maker.write_index({inner});
  CHECK_THAT(fault("oci:" + dir.path()), Contains("more than 8 deep"));
  // A loop that does not care for digests ends at the first of them.
  const std::string digest = "sha256:" + std::string(64, 'a');
  const Json self{{"mediaType", "application/vnd.oci.image.index.v1+json"},
                  {"digest", digest},
                  {"size", ImageMaker::index_of({}).dump().size()}};
  dir.write(ImageMaker::blob_path(digest), ImageMaker::index_of({}).dump());
  maker.write_index({self});
  CHECK_THAT(fault("oci:" + dir.path()), Contains("its bytes have the digest"));
}

TEST_CASE("documents that are no JSON, of wrong types or too large are refused") {
  const TempDir dir;
  ImageMaker maker(dir);
  for (const std::string& text :
       {std::string("no json"), std::string("[]"), std::string(R"({"manifests": 7})"),
        std::string(R"({"manifests": [7]})"), std::string(R"({"manifests": []})"),
        std::string(R"({"manifests": [{"digest": "md5:1", "size": 1}]})"),
        std::string(R"({"manifests": [{"digest": "sha256:../../../etc/passwd", "size": 1}]})"),
        std::string(100000, '['), std::string((4 << 20) + 1, ' ')}) {
    dir.write("index.json", text);
    INFO(text.substr(0, 60));
    CHECK_THAT(fault("oci:" + dir.path()), Contains("read the image"));
  }
}

TEST_CASE("a small layer that unpacks to more than it may is refused, with what to say") {
  const TempDir dir;
  ImageMaker maker(dir);
  const std::string tar = one_file("zeros", std::string(40 << 20, '\0'));
  maker.layer(tar, ::archive_write_add_filter_gzip).finish();
  const auto refused = read("oci:" + dir.path(), 16 << 20);
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().message(), Contains("it unpacks to more than"));
  CHECK_THAT(refused.error().hint, Contains("--max-size"));
  CHECK(read("oci:" + dir.path(), 64 << 20).ok());
}

TEST_CASE("what docker save wrote is recognised by its manifest, layers by name or by link") {
  const TempDir dir;
  const std::string layer = one_file("in");
  const Json image{{"os", "linux"},
                   {"architecture", "amd64"},
                   {"config", {{"Cmd", {"/in"}}}},
                   {"rootfs", {{"diff_ids", {test::sha256(layer), test::sha256(layer)}}}}};
  const std::string name = test::sha256(image.dump()).substr(7) + ".json";
  const auto archive = [&](const std::string& config) {
    const Json manifest = Json::array({{{"Config", name},
                                        {"RepoTags", {"registry.example/path/tool:3"}},
                                        {"Layers", {"1/layer.tar", "2/layer.tar"}}}});
    return dir.write("x.tar",
                     TarMaker()
                         .add({.name = "1/layer.tar", .bytes = layer})
                         .add({.name = "2/layer.tar", .type = '2', .link = "../1/layer.tar"})
                         .add({.name = name, .bytes = config})
                         .add({.name = "manifest.json", .bytes = manifest.dump()})
                         .make());
  };
  const auto source = read(archive(image.dump()));
  REQUIRE(source.ok());
  CHECK(source.value().kind == Source::Kind::kDockerArchive);
  CHECK(source.value().tree.find("in"));
  CHECK((source.value().policy.name == "tool" && source.value().policy.version == "3"));
  CHECK_THAT(fault("docker-archive:" + dir.path() + "/x.tar:other:1"),
             Contains("the archive holds"));
  CHECK_THAT(fault(archive(image.dump() + " ")), Contains("its bytes have the digest"));
}

TEST_CASE("a root's own manifest.json does not make it a docker archive") {
  const TempDir dir;
  const std::string tar =
      TarMaker().add({.name = "manifest.json", .bytes = "[]"}).add({.name = "bin/x"}).make();
  CHECK(read(dir.write("x.tar", tar)).value().kind == Source::Kind::kTar);
  CHECK_THAT(fault("oci:" + dir.path() + "/x.tar"), Contains("no OCI layout"));
}

TEST_CASE("a hundred thousand files are read") {
  const TempDir dir;
  TarMaker maker;
  for (int i = 0; i < 100000; ++i) maker.add({.name = "d/" + std::to_string(i)});
  const auto source = read(dir.write("many.tar", maker.make()));
  REQUIRE(source.ok());
  CHECK(source.value().tree.find("d")->children.size() == 100000);
}
