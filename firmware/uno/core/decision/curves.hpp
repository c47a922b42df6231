// Inverse-time curves of IEC 60255-151, integrated over a varying current (domain/curves.py).
#pragma once

#include <stdint.h>

#include "step_now.hpp"

namespace loadcenter {

// Where the progress of a curve trips.
constexpr int32_t trips_at(uint16_t tms_permille) { return static_cast<int32_t>(tms_permille) << 20; }

// Moves the progress on by this step at this current: below the pick-up it falls to 0 within the reset time.
// Returns whether it trips.
bool advance(int32_t& progress, uint16_t current_ma, Curve curve, uint16_t pickup_ma, uint16_t tms_permille);

}  // namespace loadcenter
