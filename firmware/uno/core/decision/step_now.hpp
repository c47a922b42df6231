// What one step works with, and how times pass in it. One program is one PDU, so this is the one place:
// passing it to every function costs a kilobyte of flash.
#pragma once

#include <stdint.h>

#include "../points.hpp"
#include "../types.hpp"

namespace loadcenter {

struct StepNow {
  const Inputs* inputs;
  const Settings* settings;
  uint32_t now_ms;
  uint8_t step_ms;  // since the step before; a longer pause counts as 255 ms
};

extern StepNow step_now;

// Returns what outlet `i` runs with. One place for all: it takes a product.
const OutletSettings& settings_of(uint8_t i);

// For how long something has been so, in ms and one more; 0 while it is not. Full, it stays.
using Age = uint16_t;
using ShortAge = uint8_t;

void run(Age& age, bool holds);
void run(ShortAge& age, bool holds);

inline bool past(Age age, uint16_t lasts_ms) { return age > lasts_ms; }

// A time that may not be known, for what lasts longer than an Age can tell.
struct Moment {
  uint32_t ms;
  bool known;

  void set();
  bool past(uint32_t lasts_ms) const;  // known, and at least so long ago
};

}  // namespace loadcenter
