// Which outlets open so that a source stays within its budget, and when they close again
// (domain/shedding.py and domain/budget.py).
#pragma once

#include <stdint.h>

#include "../points.hpp"
#include "../types.hpp"
#include "outlet.hpp"

namespace loadcenter {

// Current and real power, summed over outlets as if all currents were in phase.
struct Load {
  int32_t current_ma;
  int32_t power_mw;

  bool exceeds(const Load& budget) const {
    return current_ma > budget.current_ma || power_mw > budget.power_mw;
  }
};

struct Headroom {
  Load load;
  Load budget;

  bool fits(int32_t draw_ma, int32_t draw_mw) const;
  // With half its draw more for the inrush, and a tenth of the budget to spare.
  bool fits_well(int32_t draw_ma, int32_t draw_mw) const;
  void put(Journal& journal) const;
};

struct SheddingState {
  Moment over;   // since when the budget is exceeded
  Moment heavy;  // since when one and a half of it is
  Moment shed;   // when the last outlet was shed in this overload
  int32_t before_ma;  // total before that
  int32_t draw_ma;    // what that outlet drew
  bool futile;        // shedding had no effect: it waits until the overload ends
  bool told;          // it was told that nothing is left to shed
  Moment changed;     // when an outlet was last shed or restored
  bool restored;      // the last of both was a restore
};

constexpr uint8_t kNoOutlet = 0xFF;

struct ShedVerdict {
  uint8_t shed;  // index of the outlet to open now, kNoOutlet for none
  bool futile;
  bool exhausted;  // nothing is left to shed
  bool within;     // and it is over
};

Load budget_of(const Settings& settings, Source source);

// What all outlets carry; one whose sensor is faulty counts with its last known draw.
Load total_of(const OutletState* outlets, const Inputs& inputs);

// What the closed outlets drew when they were last seen to.
Load drawn_by(const OutletState* outlets);

ShedVerdict judge(SheddingState& state, const Headroom& room, const OutletState* outlets,
                  const int32_t* currents_ma, const Settings& settings, uint32_t now_ms);

// The outlets to open so that `source` can carry the rest, by their last known draws.
OutletMask plan(const OutletState* outlets, const Settings& settings, Source source);

// Index of the outlet that may close again now, kNoOutlet for none.
uint8_t first_to_restore(const SheddingState& state, const Headroom& room, const OutletState* outlets,
                         const Settings& settings, uint32_t now_ms);

}  // namespace loadcenter
