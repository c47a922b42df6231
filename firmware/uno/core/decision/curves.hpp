// Inverse-time curves of IEC 60255-151, integrated over a varying current (domain/curves.py).
#pragma once

#include <stdint.h>

#include "../points.hpp"
#include "../tables.hpp"

namespace loadcenter {

// Where the progress of a curve trips.
constexpr int32_t trips_at(uint16_t tms_permille) { return static_cast<int32_t>(tms_permille) << 20; }

// Returns the progress after a step of `step_ms` at this current: below the pick-up it falls to 0 within
// `reset_s`.
int32_t advanced(int32_t progress, int32_t current_ma, Curve curve, int32_t pickup_ma, uint16_t tms_permille,
                 uint8_t reset_s, uint32_t step_ms);

}  // namespace loadcenter
