// SPDX-License-Identifier: MIT
#include "runtime/run/errands.hpp"

#include "runtime/run/ids.hpp"

namespace rootlet {

Status Errands::run(sandbox::Errand what, pid_t init) {
  switch (what) {
    case sandbox::Errand::ids: return write_maps(plan_->ids, init, *caller_);
  }
  return Done{};
}

}  // namespace rootlet
