// What was found out of the sensors of one unit: board.h has it. All zero is a unit as drawn.
#pragma once

#include <stdint.h>

#include "ports.hpp"
#include "types.hpp"

namespace loadcenter {

struct Calibration {
  int16_t source_gain[kSources];   // 32768ths to add to what is measured
  int16_t outlet_gain[kOutlets];   // likewise
  int16_t outlet_delay[kOutlets];  // us by which the current is sampled later than the slots say, against the
                                   // voltage, -127 to 127; below 0 for a sensor that lags
};

// That of this unit, given by the board; looked at where board.h says that there is one. A host tries many.
#ifdef __AVR__
extern const Calibration calibration LOADCENTER_FLASH;
#else
extern Calibration calibration;
#endif

// Returns one of its values.
inline int16_t calibrated(const int16_t& value) { return static_cast<int16_t>(flash_u16(&value)); }

}  // namespace loadcenter
