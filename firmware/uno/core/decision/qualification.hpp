// How fit a source is: good, usable or bad, by a ladder of limits with times (domain/qualification.py).
#pragma once

#include <stdint.h>

#include "../tables.hpp"
#include "../types.hpp"
#include "step_now.hpp"

namespace loadcenter {

enum class Grade : uint8_t { kBad, kUsable, kGood };

constexpr uint8_t kNoRung = 0xFF;

// What is remembered of one source.
struct Sense {
  Grade grade;
  uint8_t rung;           // why it is bad: the limit that was left; kNoRung while it is not
  ShortAge left;          // since when
  ShortAge inside;        // since when no rung is violated
  Moment good;            // since when it is within the good limits
  uint32_t detection_us;  // from the first violation to the decision
  Age violated[kRungs];

  bool over() const { return rung != kNoRung && rung_row(rung).way == Way::kOver; }
};

// Returns whether so little voltage is left that a source counts as dead.
bool dead(int32_t voltage_mv);

// Returns what is compared with the limit of a rung: mV, or mHz.
int32_t measured_by(uint8_t rung, const SourceInput& reading);

// Brings `sense` up to the reading of this step.
void qualify(Sense& sense, const SourceInput& reading);

}  // namespace loadcenter
