// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/policy/policy.hpp"
#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// What is to be run, apart from how.
struct Subject {
  std::string file;                  // the image's file on the host, absolute; may be a deleted one
  std::string root_directory;        // instead of an image: a plain directory
  std::string root_reached;          // an image: how, in a word
  std::vector<std::string> guarded;  // what the tool may not change: files of images, what is
                                     // unpacked of them
  Policy policy;
  std::vector<std::string> arguments;
  RootFile root_file;                                        // regular files of the root
  std::function<bool(const std::string& path)> has_file;     // a regular file is at that path
  std::vector<sandbox::Place> attached;                      // other images, at their targets
  std::function<bool(const std::string& path)> has_entry{};  // anything is; unset: not known
};

// From options, policy and caller to the plan of one run. Looks at the host
// (which files exist), changes nothing. Notes for the user are added to
// `notes`.
Result<sandbox::Plan> make_plan(const Options& options, const Subject& subject,
                                const Caller& caller, std::vector<std::string>& notes);

// The program to run and its arguments.
struct Entry {
  std::string program;
  std::vector<std::string> argv;
  std::vector<std::string> listing;  // not empty: print these commands instead
};
Entry choose_entry(const Options& options, const Policy& policy, const Caller& caller,
                   const std::vector<std::string>& arguments);

// What of the host a run shows inside, in order, into a plan whose root,
// profile, network and ids are chosen.
Status add_places(sandbox::Plan& plan, const Options& options, const Subject& subject,
                  const Caller& caller, std::vector<std::string>& notes);

}  // namespace rootlet
