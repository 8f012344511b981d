// SPDX-License-Identifier: MIT
#include "packaging/write_output.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "packaging/elf_file.hpp"
#include "packaging/output_file.hpp"
#include "packaging/seal_image.hpp"
#include "packaging/self_test.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kBuild = "build";

std::string absolute_parent(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  const std::string text = real != nullptr ? real : path;
  std::free(real);
  return parent_of(text);
}

Status write_stub(int fd, const Stub& stub, const std::string& path) {
  for (std::size_t at = 0; at < stub.bytes.size();) {
    const ssize_t put =
        ::pwrite(fd, stub.bytes.data() + at, stub.bytes.size() - at, static_cast<off_t>(at));
    if (put < 0) return last_error("write the file", path);
    at += static_cast<std::size_t>(put);
  }
  return Done{};
}

// The machine that this program was made for, which is the host's.
#ifdef __aarch64__
constexpr std::uint16_t kHost = EM_AARCH64;
#else
constexpr std::uint16_t kHost = EM_X86_64;
#endif

// The policy's self-test, on the file before it has its name. Tells what came of it.
Result<std::string> test_itself(const BuildRequest& request, int fd, std::uint16_t machine,
                                const std::vector<std::string>& command) {
  if (!request.self_test) return std::string("left out");
  if (command.empty()) {
    if (!trims_by_list(request.trim)) return std::string("none, the policy names none");
    return plain_error(kBuild, "--trim=FILE", "the policy names no self-test",
                       "what was trimmed by a list has to show that it still works: add "
                       "selftest = [...] to the policy, or --no-selftest");
  }
  if (machine != kHost) return "not run, the image is for " + machine_name(machine);
  if (request.report) request.report({"testing", 0, 0});
  SelfTest test;
  test.fd = fd;
  test.command = command;
  test.seconds = request.self_test_seconds;
  if (!request.base.empty()) test.data_paths = {absolute_parent(request.base)};
  const SelfTestResult result = TRY(run_self_test(test));
  if (result.outcome != SelfTestResult::Outcome::passed) return self_test_error(result, command);
  char text[32];
  std::snprintf(text, sizeof text, "passed in %.1f s", result.seconds);
  return std::string(text);
}

}  // namespace

Status write_output(const BuildRequest& request, const Stub& stub, const Tree& tree,
                    SquashfsOptions options, BuildSummary& summary) {
  const std::string& path = summary.output;
  OutputFile output = TRY(OutputFile::create(path));
  options.offset = stub.bytes.size();
  auto stats = write_squashfs(tree, output.fd(), options);
  if (!stats.ok()) {
    Error error = stats.error();
    if (error.subject.empty()) error.subject = path;
    return error;
  }
  TRY(write_stub(output.fd(), stub, path));
  if (request.seal) {
    const Payload image{output.fd(), options.offset, stats.value().bytes};
    TRY(seal_image(image, path, request.threads));
  }
  summary.facts.emplace_back(
      "self-test", TRY(test_itself(request, output.fd(), stub.machine, summary.policy.selftest)));
  if (request.finish) TRY(request.finish(output.fd(), path));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  TRY(output.publish(0755 & ~mask));
  summary.stub = stub.bytes.size();
  summary.image = stats.value().bytes;
  summary.content = stats.value().content;
  summary.entries = stats.value().inodes;
  return Done{};
}

}  // namespace rootlet::packaging
