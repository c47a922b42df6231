// How fit a source is: good, usable or bad, by a ladder of limits with times (domain/qualification.py).
#pragma once

#include <stdint.h>

#include "../tables.hpp"
#include "../types.hpp"
#include "outcome.hpp"

namespace loadcenter {

enum class Grade : uint8_t { kBad, kUsable, kGood };

// Why a source is bad: the rung, and when its time had passed.
struct Departure {
  bool known;
  uint8_t rung;
  uint32_t at_ms;
  uint32_t detection_us;  // from the first violation to the decision

  Way way() const { return rung_row(rung).way; }
  bool over() const { return known && way() == Way::kOver; }
};

// The numbers that were compared when a source became bad.
struct Compared {
  int32_t measured;  // mV; mHz for a frequency
  int32_t limit;
};

// What is remembered of one source.
struct Sense {
  Grade grade;
  uint16_t violated;  // a bit for each rung
  uint32_t violated_ms[kRungs];
  Moment inside;  // since when no rung is violated
  Moment good;    // since when it is within the good limits
  Departure departure;
};

// What the voltages are compared with, worked out once.
struct Nominal {
  int32_t mv;
  int32_t mhz;
};

// Brings `sense` up to one reading; `compared` is set where the source becomes bad.
void qualify(Sense& sense, const SourceInput& reading, const Nominal& nominal, uint32_t now_ms,
             Compared& compared);

}  // namespace loadcenter
