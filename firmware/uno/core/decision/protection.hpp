// Protection of one outlet: what its current says at each step, and the latch of a trip
// (domain/protection.py and domain/thermal.py).
#pragma once

#include <stdint.h>

#include "../points.hpp"
#include "../tables.hpp"
#include "../types.hpp"
#include "curves.hpp"
#include "outcome.hpp"

namespace loadcenter {

// A trip that holds an outlet open until a person resets it, with the numbers that were compared.
struct Latch {
  Trip trip;         // kNone while there is none
  int32_t measured;  // mA; mW for an overpower
  int32_t limit;
  int32_t limit_ms;

  bool held() const { return trip != Trip::kNone; }
  void put(Journal& journal) const;
};

// What protection remembers of one outlet from step to step; lost with the supply, unlike the latch.
struct Guard {
  Moment over;       // since when a limit of the person is exceeded
  Moment picked_up;  // since when the current is over the pick-up of the curve
  int32_t curve;     // progress
  Moment stuck;      // since when current flows through the open relay
  Moment mask;       // when the last inrush mask began; forgotten once another one may
  Moment quiet;      // since when the closed outlet draws so little that its load may start up
  int32_t heat_ppm;  // of the heat that trips
  uint16_t heat_rest;
  uint8_t barren;    // closings in a row in which nothing was drawn
  bool warned;       // it was told that a limit is exceeded
  bool welded;       // the relay is known not to open
  bool faulty;       // the current sensor does not tell
  bool drew;         // it has drawn current at some time
  bool drew_now;     // it has drawn current since it was closed

  bool masked(uint32_t now_ms) const { return mask.known && !mask.past(now_ms, kMaskMs); }
  bool may_mask(uint32_t now_ms) const { return !mask.known && quiet.past(now_ms, kQuietMs); }
  bool hot() const { return heat_ppm >= kThermalTripPpm; }
  uint8_t heat_stage() const;
};

// What one step looks at, of one outlet.
struct OutletSeen {
  uint8_t outlet;  // from 1
  bool closed;
  bool tripped;
  bool failed;  // that trip is already the failure of its relay
  int32_t current_ma;
  int32_t power_mw;
  bool faulty;
  bool opened;  // by the instantaneous trip, at `peak_ma`
  int32_t peak_ma;
  bool masked;  // its load has started by itself
  Cause cause;  // why it is as it is
};

// What became true in a step.
struct Watched {
  Latch latch;
  bool shed;
};

Watched watch(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, uint8_t reset_s,
              uint32_t step_ms, uint32_t now_ms, Journal& journal);

// Returns whether an overcurrent is in progress that ends in a trip if it lasts.
bool in_overcurrent(const Guard& guard, const OutletSettings& settings);

void note_closing(Guard& guard, uint32_t now_ms);

// Returns whether the circuit has become suspect: nothing was drawn again.
bool note_opening(Guard& guard, uint32_t closed_ms);

void warm(Guard& guard, int32_t current_ma, uint8_t seconds);

}  // namespace loadcenter
