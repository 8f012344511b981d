// SPDX-License-Identifier: MIT
#include "launcher/learn/setting.hpp"

#include <linux/sched.h>

namespace rootlet::learn {

Setting setting_of(const sandbox::Plan& plan) {
  constexpr const char* kProfiles[] = {"isolated", "contained", "compat"};
  using Kind = sandbox::Place::Kind;
  Setting setting;
  setting.cwd = plan.cwd;
  setting.profile = kProfiles[static_cast<int>(plan.profile)];
  setting.network = !plan.own_network                      ? "host"
                    : plan.wiring == sandbox::Wiring::none ? "none"
                                                           : "private";
  setting.ipc = plan.namespaces & CLONE_NEWIPC ? "private" : "host";
  for (const std::string& variable : plan.env) {
    if (variable.starts_with("HOME=")) setting.home = variable.substr(5);
  }
  for (const sandbox::Place& place : plan.places) {
    // The host's names and time, which every run is shown.
    const bool usual = place.optional && place.source.starts_with("/etc/");
    if (place.kind == Kind::bind && !place.ours && !usual) {
      setting.binds.push_back({place.target, place.source, place.writable});
    } else if (place.kind == Kind::scratch || place.kind == Kind::writable || place.ours) {
      setting.scratch.push_back(place.target);
    }
  }
  return setting;
}

}  // namespace rootlet::learn
