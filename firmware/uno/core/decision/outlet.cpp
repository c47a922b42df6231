#include "outlet.hpp"

namespace loadcenter {

#ifdef LOADCENTER_COVERAGE
uint8_t ranks_used = 0;
#define LOADCENTER_RANK(rank) (ranks_used = static_cast<uint8_t>(ranks_used | 1U << (rank)))
#else
#define LOADCENTER_RANK(rank) static_cast<void>(0)
#endif

void OutletState::end_intentions() {
  pausing = false;
  dropped = false;
  shed = Shed::kNot;
  returning = false;
}

Verdict arbitrate(const OutletState& outlet) {
  if (outlet.latched != Trip::kNone) {
    LOADCENTER_RANK(1);
    return {false, Cause::kProtection};
  }
  if (outlet.locked) {
    LOADCENTER_RANK(2);
    return {outlet.wanted, Cause::kLock};
  }
  if (outlet.wanted_by == Cause::kPersonOff) {
    LOADCENTER_RANK(2);
    return {false, Cause::kPersonOff};
  }
  if (outlet.shed != Shed::kNot) {
    LOADCENTER_RANK(3);
    return {false, Cause::kShed};
  }
  if (outlet.wanted_by == Cause::kPersonOn) {
    LOADCENTER_RANK(4);
    // During the pause of a power cycle the person's wish is still "on".
    return {!outlet.pausing, Cause::kPersonOn};
  }
  LOADCENTER_RANK(6);
  return {outlet.wanted, Cause::kRestore};
}

}  // namespace loadcenter
