// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected; `123456789` gives 0x29B1. Guards the
// frames of the serial line (SER-4) and everything that is kept in EEPROM.
#pragma once

#include <stdint.h>

namespace loadcenter {

constexpr uint16_t kCrcStart = 0xFFFF;

// Returns `crc` carried on over one byte. Without a table: 256 words of flash would buy 0.1 ms a line.
inline uint16_t crc16(uint16_t crc, uint8_t byte) {
  uint8_t x = static_cast<uint8_t>((crc >> 8) ^ byte);
  x = static_cast<uint8_t>(x ^ (x >> 4));
  return static_cast<uint16_t>((crc << 8) ^ (static_cast<uint16_t>(x) << 12) ^
                               (static_cast<uint16_t>(x) << 5) ^ x);
}

}  // namespace loadcenter
