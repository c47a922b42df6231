// Which outlets open so that a source stays within its budget, and when they close again
// (domain/shedding.py and domain/budget.py).
#pragma once

#include <stdint.h>

#include "outlet.hpp"

namespace loadcenter {

constexpr uint8_t kNoOutlet = 0xFF;

// Current and real power, summed over outlets as if all currents were in phase; the current ends at 65.5 A.
struct Load {
  uint16_t current_ma;
  uint16_t power_w;

  void add(uint16_t more_ma, uint16_t more_w);
  bool exceeds(Source source) const;            // its budget
  bool exceeds_half_more(Source source) const;  // one and a half of it
};

// What is to be told, if anything.
enum class ShedOutcome : uint8_t {
  kNone = 0,
  kShed = static_cast<uint8_t>(EventCode::kShed),
  kFutile = static_cast<uint8_t>(EventCode::kShedFutile),
  kExhausted = static_cast<uint8_t>(EventCode::kOverBudget),
  kWithin = static_cast<uint8_t>(EventCode::kWithinBudget),
};

class Shedding {
 public:
  void start() { *this = Shedding(); }

  // Judges the total on `source`. With kShed, `index` is the outlet to open now.
  ShedOutcome judge(const Load& total, Source source, const OutletState* outlets, const uint16_t* currents_ma,
                    uint8_t& index);

  // Index of the outlet that may close again now, kNoOutlet for none.
  uint8_t first_to_restore(const Load& total, Source source, const OutletState* outlets) const;

  void note_change(bool restored);

  // A step in which there is nothing to judge: times go on.
  void wait();

 private:
  bool due() const;

  Age over_;            // since the budget is exceeded
  ShortAge heavy_;      // since one and a half of it is
  Age shed_;            // since the last outlet was shed in this overload
  uint16_t before_ma_;  // total before that
  uint16_t draw_ma_;    // what that outlet drew
  bool futile_;         // shedding had no effect: it waits until the overload ends
  bool told_;           // it was told that nothing is left to shed
  bool restored_;       // the last change was a restore
  Moment changed_;      // when an outlet was last shed or restored
};

// The outlets to open so that `source` can carry the rest, by their last known draws.
OutletMask plan(const OutletState* outlets, Source source);

// What the closed outlets drew when they were last seen to.
Load drawn_by(const OutletState* outlets);

// Returns whether the outlet fits into the budget of `source` beside `total`.
bool fits(const Load& total, Source source, const OutletState& outlet);

}  // namespace loadcenter
