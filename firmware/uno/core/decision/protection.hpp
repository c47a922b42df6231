// Protection of one outlet: what its current says at each step (domain/protection.py and domain/thermal.py).
#pragma once

#include <stdint.h>

#include "../tables.hpp"
#include "curves.hpp"
#include "outcome.hpp"

namespace loadcenter {

// What protection remembers of one outlet from step to step; lost with the supply.
struct Guard {
  Age over;          // since a limit of the person is exceeded
  Age mask;          // since the last inrush mask began; 0 once another one may
  ShortAge stuck;    // since current flows through the open relay
  ShortAge quiet;    // since the closed outlet draws so little that its load may start up
  bool picked_up;    // the current is over the pick-up of the curve
  bool warned;       // it was told that a limit is exceeded
  bool welded;       // the relay is known not to open
  bool faulty;       // the current sensor does not tell
  int32_t curve;     // progress
  int32_t heat_ppm;  // of the heat that trips
  uint16_t heat_rest;
#if LOADCENTER_DIAGNOSTICS
  uint8_t barren;  // closings in a row in which nothing was drawn
  bool drew;       // it has drawn current at some time
  bool drew_now;   // it has drawn current since it was closed
#endif

  bool masked() const { return mask != 0 && !past(mask, static_cast<uint16_t>(kMaskMs)); }
  bool may_mask() const { return mask == 0 && past(quiet, static_cast<uint16_t>(kQuietMs)); }
  uint8_t heat_stage() const;  // quarters of the heat that trips, 0 to 4
};

// What one step looks at, of one outlet.
struct OutletSeen {
  uint8_t index;
  bool closed;
  Trip latched;
  uint16_t current_ma;
  uint16_t power_w;
};

// Returns why the outlet trips in this step, kNone where it does not; sets `shed` if it is shed at its own
// limit.
Trip watch(Guard& guard, const OutletSeen& seen, Cause cause, bool& shed);

// Returns whether an overcurrent is in progress that ends in a trip if it lasts.
bool in_overcurrent(const Guard& guard, const OutletSettings& settings);

void note_closing(Guard& guard);

// Returns whether the circuit has become suspect: nothing was drawn again.
bool note_opening(Guard& guard, bool counts);

void warm(Guard& guard, uint16_t current_ma, uint8_t seconds);

}  // namespace loadcenter
