// SPDX-License-Identifier: MIT
#include "runtime/image/walkers.hpp"

#include <algorithm>
#include <utility>

namespace rootlet::image {
namespace {

constexpr std::uint64_t kTop = 1;     // FUSE_ROOT_ID: links to /usr, wanted by every start
constexpr std::size_t kSmall = 1024;  // bytes: some thirty entries
constexpr std::size_t kSample =
    64;                          // files that say what walkers want, or directories that are a walk
constexpr std::size_t kFew = 8;  // a program that starts asks for a handful of what it found
constexpr std::size_t kMany = 2048;  // beyond that what was long ago counts half
constexpr std::ptrdiff_t kRecent = 64;
constexpr std::size_t kMostListings = 8192;  // more stay as the kernel has them

}  // namespace

bool Walkers::want_all(std::uint64_t directory, std::size_t bytes) const {
  if (directory == kTop || want_ == Want::all) return true;
  return want_ == Want::not_known && bytes > kSmall;
}

void Walkers::listed(std::uint64_t directory, std::size_t files) {
  if (files == 0) return;
  // Before these count: nobody can have asked for them yet.
  if (want_ == Want::not_known && named_ >= kSample && asked_ < named_ / kFew) want_ = Want::names;
  if (!is_recent(directory) && listings_.size() < kMostListings) listings_.push_back(directory);
  named_ += files;
  if (named_ <= kMany) return;
  named_ /= 2;
  asked_ /= 2;
}

bool Walkers::asked(std::uint64_t directory) {
  if (want_ == Want::all || !is_recent(directory)) return false;
  ++asked_;
  if (asked_ < std::clamp(named_ / 2, kFew, kSample)) return false;
  want_ = Want::all;
  return true;
}

// Those above a directory, in which the walk goes on when it is through.
bool Walkers::is_recent(std::uint64_t directory) const {
  const auto last = std::min<std::ptrdiff_t>(std::ssize(listings_), kRecent);
  return std::find(listings_.end() - last, listings_.end(), directory) != listings_.end();
}

// A few are those of a program that looks for its modules, and has what it wants.
std::vector<std::uint64_t> Walkers::take_listings() {
  std::vector<std::uint64_t> listings = std::exchange(listings_, {});
  if (listings.size() < kSample) listings.clear();
  return listings;
}

void Walkers::forget() {
  want_ = Want::not_known;
  named_ = asked_ = 0;
  listings_.clear();
}

}  // namespace rootlet::image
