// SPDX-License-Identifier: MIT
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <exception>

#include "examiner/confine.hpp"
#include "examiner/jobs.hpp"
#include "runtime/os/landlock.hpp"

// rootlet-examiner JOB OFFSET LENGTH [WORD]...: looks into a file that somebody
// else made, for rootlet and rootlet-tools (launcher/examination.cpp). The file
// is descriptor 3, frames go to descriptor 4; 0, 1 and 2 are /dev/null.
namespace rootlet::examiner {
namespace {

constexpr int kAnswers = 4;

Job kind_of(const std::string& job, const Words& words) {
  if (job == "render") return Job::drawing;
  const bool whole = job == "look" && words.size() > 1 && words[1] == "whole";
  return whole ? Job::libraries : Job::files;
}

Status work(const std::string& job, std::uint64_t offset, std::uint64_t length, const Words& words,
            FrameWriter& out) {
  if (job == "render") return render(words, out);
  const std::unique_ptr<Archive> archive = TRY(open_archive(offset, length));
  if (job == "list") return list(*archive, words, out);
  if (job == "read") return read(*archive, words, out);
  if (job == "unpack") return unpack(*archive, words, out);
  if (job == "look") return look(*archive, words, out);
  return plain_error("examine", job, "no such job");
}

int examine(int argc, char** argv) {
  const std::string job = argv[1];
  Words words(argv + 4, argv + argc);
  // Only Landlock confines what opens files by name: where there is none
  // libappimage is not asked.
  if (job == "look" && words.size() > 1 && os::landlock_version() < 1) words[1] = "part";
  FrameWriter out(kAnswers);
  Status done = confine(kind_of(job, words));
  if (done.ok()) {
    try {
      done = work(job, std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10),
                  words, out);
    } catch (const std::exception& error) {
      done = plain_error("examine", {}, error.what(), "");
    }
  }
  if (done.ok()) {
    out.put(Tag::end, {});
    return 0;
  }
  std::string body;
  const Error error = std::move(done).error();
  put_text(body, error.subject);
  put_text(body, error.explanation());
  put_text(body, error.hint);
  out.put(Tag::error, body);
  return 1;
}

}  // namespace
}  // namespace rootlet::examiner

int main(int argc, char** argv) {
  using namespace rootlet;
  if (argc < 4) {
    print_error(plain_error("start", "rootlet-examiner", "it is a part of rootlet",
                            "run rootlet ls, cat, inspect or install instead"));
    return 125;
  }
  // Names of ISO images come through the locale's encoding.
  std::setlocale(LC_ALL, "C.UTF-8");
  // libarchive asks for the local time; /etc/localtime is out of reach then.
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  return examiner::examine(argc, argv);
}
