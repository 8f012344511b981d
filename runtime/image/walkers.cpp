// SPDX-License-Identifier: MIT
#include "runtime/image/walkers.hpp"

#include <algorithm>
#include <utility>

namespace rootlet::image {
namespace {

constexpr std::uint64_t kTop = 1;     // FUSE_ROOT_ID: links to /usr, wanted by every start
constexpr std::size_t kSmall = 1024;  // bytes: some thirty entries
// So many files say what walkers want; so many directories are a walk.
constexpr std::size_t kSample = 64;
constexpr std::size_t kFew = 8;      // a program that starts asks for a handful of what it found
constexpr std::size_t kMany = 2048;  // beyond that what was long ago counts half
constexpr std::size_t kMostListings = 32768;  // more stay as the kernel has them

}  // namespace

bool Walkers::want_all(std::uint64_t directory, std::size_t bytes) const {
  if (directory == kTop || want_ == Want::all) return true;
  return want_ == Want::not_known && bytes > kSmall;
}

// Where it stands in the table, or would.
std::uint64_t& Walkers::place_of(std::uint64_t directory) {
  std::size_t at = (directory * 0x9E3779B97F4A7C15u) >> 32;
  while (true) {
    std::uint64_t& place = listings_[at++ & (listings_.size() - 1)];
    if (place == directory || place == 0) return place;
  }
}

void Walkers::remember(std::uint64_t directory) {
  if (count_ * 2 >= listings_.size()) {
    if (count_ >= kMostListings) return;
    std::vector<std::uint64_t> old(std::max<std::size_t>(2 * listings_.size(), 2 * kSample));
    old.swap(listings_);
    for (const std::uint64_t known : old) {
      if (known != 0) place_of(known) = known;
    }
  }
  std::uint64_t& place = place_of(directory);
  count_ += place == 0;
  place = directory;
}

void Walkers::listed(std::uint64_t directory, std::size_t files) {
  if (files == 0) return;
  // Before these count: nobody can have asked for them yet.
  if (want_ == Want::not_known && named_ >= kSample && asked_ < named_ / kFew) want_ = Want::names;
  remember(directory);
  named_ += files;
  if (named_ <= kMany) return;
  named_ /= 2;
  asked_ /= 2;
}

bool Walkers::asked(std::uint64_t directory) {
  if (want_ == Want::all || count_ == 0 || place_of(directory) != directory) return false;
  ++asked_;
  // Of what was listed long ago nobody knows how many files it were.
  if (asked_ < (named_ == 0 ? kSample : std::clamp(named_ / 2, kFew, kSample))) return false;
  want_ = Want::all;
  return true;
}

// A few are those of a program that looks for its modules, and has what it wants.
std::vector<std::uint64_t> Walkers::take_listings() {
  std::vector<std::uint64_t> listings = std::exchange(listings_, {});
  if (std::exchange(count_, 0) < kSample) return {};
  std::erase(listings, 0);
  return listings;
}

void Walkers::forget() {
  want_ = Want::not_known;
  named_ = asked_ = 0;
}

}  // namespace rootlet::image
