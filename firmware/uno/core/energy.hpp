// An energy counter of 48 bits. The compiler's own arithmetic of 64 bits would cost the firmware 1 KB of
// flash.
#pragma once

#include <stdint.h>

#include "words.hpp"

namespace loadcenter {

struct Energy {
  static constexpr uint8_t kBytes = 6;

  uint8_t bytes[kBytes];  // the lowest first, as they are kept in EEPROM

  uint32_t low_mwh() const;
  uint16_t high() const { return static_cast<uint16_t>(bytes[4] | bytes[5] << 8); }  // times 2^32 mWh

  void add(uint32_t mwh);
  bool operator>(const Energy& other) const;

  // Puts the number that `text` is into it; false if it is not one: digits without a leading zero, below
  // 2^48.
  bool read(Text text);
};

}  // namespace loadcenter
