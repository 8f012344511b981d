// SPDX-License-Identifier: MIT
#include "runtime/run/errands.hpp"

#include "runtime/run/ids.hpp"

namespace rootlet {

Result<int> Errands::run(sandbox::Errand what, pid_t init) {
  switch (what) {
    case sandbox::Errand::ids: TRY(write_maps(plan_->ids, init, *caller_)); break;
    case sandbox::Errand::network: return link_.make(*plan_, init);
  }
  return 0;
}

}  // namespace rootlet
