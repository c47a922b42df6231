// What was found out of the sensors of one unit. Kept in EEPROM; all zero is a unit as drawn.
#pragma once

#include <stdint.h>

#include "types.hpp"

namespace loadcenter {

struct Calibration {
  int16_t source_gain[kSources];  // hundredths of a percent to add to what is measured
  int16_t outlet_gain[kOutlets];
  int8_t outlet_delay[kOutlets];  // us by which the current is sampled later than the slots say, against the
                                  // voltage
  uint16_t reference;             // conversion of the band gap at that time, in 64ths; 0: as drawn
};

}  // namespace loadcenter
