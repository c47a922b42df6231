// One outlet under way: its state, and the rules that decide whether its relay is closed (domain/outlet.py).
#pragma once

#include <stdint.h>

#include "protection.hpp"

namespace loadcenter {

enum class Shed : uint8_t { kNot, kBudget, kLimit };

struct OutletState {
  // What survives a loss of supply, with the stage of the heat.
  bool wanted;
  bool locked;
  Cause wanted_by;  // why
  Trip latched;

  bool closed;
  bool dropped;    // opened because the bus died, not because anybody wanted it off
  bool returning;  // it was shed and shall be closed again
  bool pausing;    // of a power cycle, until `resume_ms`
  Shed shed;
  Guard guard;
  uint16_t draw_ma;  // when it was last seen to carry current
  uint16_t draw_w;
  uint32_t changed_ms;
  uint32_t resume_ms;

  // Ends every automatic intention.
  void end_intentions();
};

// What the highest rule that speaks wants: protection > lock and a person's off > shedding > a person's on >
// power-restore policy.
struct Verdict {
  bool closed;
  Cause cause;
};

Verdict arbitrate(const OutletState& outlet);

#ifdef LOADCENTER_COVERAGE
extern uint8_t ranks_used;
#endif

}  // namespace loadcenter
