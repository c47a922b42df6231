// An energy counter of 48 bits. The compiler's own arithmetic of 64 bits would cost the firmware 1 KB of
// flash.
#pragma once

#include <stdint.h>

namespace loadcenter {

struct Energy {
  static constexpr uint8_t kBytes = 6;

  uint8_t bytes[kBytes];  // the lowest first, as they are kept in EEPROM

  uint32_t low_mwh() const;
  uint16_t high() const { return static_cast<uint16_t>(bytes[4] | bytes[5] << 8); }  // times 2^32 mWh

  void add(uint32_t mwh);
  bool operator>(const Energy& other) const;

  // Puts a number into it of which `low` and `high` are 24 bits each; false if one of them has more.
  bool set(uint32_t low, uint32_t high);
};

}  // namespace loadcenter
