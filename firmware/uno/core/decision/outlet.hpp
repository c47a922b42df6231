// One outlet under way: its state, and the rules that decide whether its relay is closed (domain/outlet.py).
#pragma once

#include <stdint.h>

#include "protection.hpp"

namespace loadcenter {

enum class Shed : uint8_t { kNot, kBudget, kLimit };

struct OutletState {
  // What survives a loss of supply.
  bool wanted;
  bool locked;
  Cause wanted_by;     // why
  uint8_t heat_stage;  // quarters of the heat that trips, as they are kept
  Latch latch;

  bool closed;
  bool dropped;    // opened because the bus died, not because anybody wanted it off
  bool returning;  // it was shed and shall be closed again
  Shed shed;
  uint32_t changed_ms;
  Moment resume;  // end of the pause of a power cycle
  Guard guard;
  int32_t draw_ma;  // when it was last seen to carry current
  int32_t draw_mw;
};

// What the highest rule that speaks wants.
struct Verdict {
  bool closed;
  Cause cause;
};

// protection > lock and a person's off > shedding > a person's on > power-restore policy
Verdict arbitrate(const OutletState& outlet);

#ifdef LOADCENTER_COVERAGE
extern uint8_t ranks_used;
#endif

}  // namespace loadcenter
