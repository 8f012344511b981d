// SPDX-License-Identifier: MIT
#include "launcher/image_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "launcher/data_store.hpp"
#include "launcher/jar_images.hpp"
#include "launcher/release_check.hpp"
#include "packaging/decide.hpp"
#include "packaging/difference.hpp"
#include "packaging/image_tree.hpp"
#include "packaging/self_test.hpp"
#include "packaging/survey.hpp"
#include "packaging/tree_digest.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/data_search.hpp"

extern char** environ;

namespace rootlet {
namespace {

using Step = CheckStep::Result;

CheckStep step_of(const std::string& what, const Error& error, Step result = Step::bad) {
  return {what, result, error.message(), error.hint};
}

class Look {
 public:
  Look(const std::string& image, const CheckRequest& request)
      : request_(request), checked_{image, {}} {}

  CheckedImage run() {
    auto packed = packaging::read_image_tree(checked_.image);
    if (!packed.ok()) {
      checked_.steps.push_back(step_of("image", packed.error()));
      return std::move(checked_);
    }
    packaging::PackedImage& image = packed.value();
    if (request_.content) compare_content("content", image);
    if (!image.policy.base.name.empty() && !find_base(image)) return std::move(checked_);
    find_data_of(image);
    look_at_programs(image);
    test(image);
    return std::move(checked_);
  }

 private:
  void add(const std::string& what, Step result, const std::string& text,
           const std::string& hint = {}) {
    checked_.steps.push_back({what, result, text, hint});
  }

  // Every byte is read on the way.
  void compare_content(const std::string& what, const packaging::PackedImage& image) {
    const auto digest = packaging::read_digest_of(image.tree);
    if (!digest.ok()) {
      checked_.steps.push_back(step_of(what, digest.error()));
    } else if (image.digest.empty()) {
      add(what, Step::ok, "every file can be read; the image tells no digest to compare with");
    } else if (digest.value() != image.digest) {
      add(what, Step::bad,
          "it is not what was packed: " + digest.value() + ", and it says " + image.digest,
          "copy or download it again");
    } else {
      add(what, Step::ok, image.digest);
    }
  }

  // In the places where a run looks (runtime/run/reach.cpp).
  bool find_base(packaging::PackedImage& image) {
    const Policy::Base& wanted = image.policy.base;
    std::vector<std::string> places = request_.data_paths;
    places.push_back(packaging::parent_of(image.file));
    for (std::string& place : places) place += "/" + wanted.name;
    places.push_back(image.file + "!/" + wanted.name.substr(0, wanted.name.find(".AppImage")));
    for (const std::string& place : places) {
      auto base = packaging::read_image_tree(place);
      if (!base.ok() || base.value().digest != wanted.digest) continue;
      add("base", Step::ok, place);
      if (request_.content) compare_content("base", base.value());
      image.tree = packaging::laid_over(base.value().tree, image.tree);
      return true;
    }
    add("base", Step::bad, "no " + wanted.name + " with " + wanted.digest + " was found",
        "put it beside the image, or name its directory with --data-path");
    return false;
  }

  // As a run finds it. Every byte of it is read, too.
  void find_data_of(const packaging::PackedImage& image) {
    if (image.policy.data.empty()) return;
    const Caller caller = read_caller("rootlet", environ);
    const auto places = data_places(request_.data_paths, caller, image.file);
    for (const Policy::Data& data : image.policy.data) {
      const auto search = find_data(data, places);
      if (!search.ok()) {
        checked_.steps.push_back(step_of("data", search.error(), Step::unknown));
      } else if (search.value().fd.valid()) {
        compare_data(data, search.value().file);
      } else {
        add("data", data.required ? Step::bad : Step::warning,
            data.name + " (" + data.digest + ") was not found: " + search.value().text(),
            "name its directory with --data-path, or: rootlet data add FILE");
      }
    }
  }

  void compare_data(const Policy::Data& data, const std::string& file) {
    const Status whole = request_.content ? check_whole(file, {}) : Status(Done{});
    if (!whole.ok()) return checked_.steps.push_back(step_of("data", whole.error()));
    add("data", Step::ok, data.name + " at " + data.path + ": " + file);
  }

  void look_at_programs(const packaging::PackedImage& image) {
    const Policy& policy = image.policy;
    if (policy.entrypoint.empty() && policy.commands.empty()) {
      return add("programs", Step::unknown, "the image has no policy that names its programs",
                 "rootlet run tells whether it starts");
    }
    if (image.machine == 0) return;
    packaging::Check check(image.tree, image.machine, policy.env);
    const Status sound = packaging::check_programs(check, policy);
    if (!sound.ok()) return checked_.steps.push_back(step_of("programs", sound.error()));
    add("programs", Step::ok, std::to_string(check.files().size()) + " files to start from");
    for (const packaging::Finding& found :
         packaging::survey(image.tree, image.machine, policy, check)) {
      add("lacks", Step::warning, found.subject + " " + found.what, found.add);
    }
  }

  void test(const packaging::PackedImage& image) {
    const std::vector<std::string>& command = image.policy.selftest;
    if (!request_.self_test) return;
    if (command.empty()) return add("self-test", Step::ok, "the policy names none");
    packaging::SelfTest test;
    test.image = checked_.image;
    if (test.image[0] != '/') {
      std::array<char, 4096> here{};
      if (::getcwd(here.data(), here.size()) != nullptr) {
        test.image = std::string(here.data()) + "/" + test.image;
      }
    }
    test.command = command;
    test.seconds = request_.seconds;
    test.data_paths = request_.data_paths;
    const auto result = packaging::run_self_test(test);
    if (!result.ok()) return checked_.steps.push_back(step_of("self-test", result.error()));
    const packaging::SelfTestResult& came = result.value();
    using Outcome = packaging::SelfTestResult::Outcome;
    if (came.outcome == Outcome::passed) {
      char text[40];
      std::snprintf(text, sizeof text, "passed in %.1f s", came.seconds);
      return add("self-test", Step::ok, text);
    }
    checked_.steps.push_back({"self-test",
                              came.outcome == Outcome::failed ? Step::bad : Step::unknown,
                              came.reason, came.hint, came.output});
  }

  const CheckRequest& request_;
  CheckedImage checked_;
};

}  // namespace

CheckedImage check_image(const std::string& image, const CheckRequest& request) {
  return Look(image, request).run();
}

Result<std::vector<CheckedImage>> check_file(const std::string& file, const CheckRequest& request) {
  constexpr std::string_view kCheck = "check";
  struct stat status {};
  const bool plain = ::stat(file.c_str(), &status) == 0;
  // JAR!/NAME and FILE@OFFSET are no files.
  if (!plain && file.find('!') == std::string::npos && file.find('@') == std::string::npos) {
    return last_error(kCheck, file);
  }
  if (plain && !S_ISREG(status.st_mode)) return plain_error(kCheck, file, "not a regular file");
  if (const auto release = TRY(read_release(file)); release) {
    return check_release(*release, request);
  }
  std::array<char, 4> magic{};
  const os::Fd fd(plain ? ::open(file.c_str(), O_RDONLY | O_CLOEXEC) : -1);
  if (plain && !fd.valid()) return last_error(kCheck, file);
  if (plain) (void)!::pread(fd.get(), magic.data(), magic.size(), 0);
  const std::string_view head(magic.data(), magic.size());
  if (plain && head != "PK\3\4" && head != "hsqs" && head != "\177ELF") {
    return plain_error(kCheck, file, "neither an AppImage, nor a squashfs, nor a jar");
  }
  if (!plain || head != "PK\3\4") {
    return std::vector<CheckedImage>{check_image(file, request)};
  }
  const ZipArchive archive =
      TRY(ZipArchive::open({fd.get(), 0, static_cast<std::uint64_t>(status.st_size)}, file));
  std::vector<CheckedImage> images;
  for (const JarImage& image : TRY(images_of(archive))) {
    if (image.classifier != machine_classifier()) continue;
    images.push_back(check_image(file + "!/" + image.name, request));
  }
  if (!images.empty()) return images;
  return plain_error(kCheck, file, "the jar holds no image for this machine",
                     "rootlet jar list " + file);
}

}  // namespace rootlet
