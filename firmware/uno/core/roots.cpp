#include "roots.hpp"

namespace loadcenter {

uint16_t root32(uint32_t square) {
  uint32_t root = 0;
  for (uint32_t bit = 1UL << 30; bit != 0; bit >>= 2) {
    const uint32_t tried = root + bit;
    root >>= 1;
    if (square >= tried) {
      square -= tried;
      root += bit;
    }
  }
  return static_cast<uint16_t>(root);
}

uint32_t root_q20(uint32_t square_q8) {
  if (square_q8 == 0) {
    return 0;
  }
  uint8_t shifts = 0;
  while (square_q8 < 1UL << 30) {
    square_q8 <<= 2;
    ++shifts;
  }
  return static_cast<uint32_t>(root32(square_q8)) << 16 >> shifts;
}

#ifndef __AVR__
uint32_t part(uint32_t value, uint32_t fraction) {
  return static_cast<uint32_t>(static_cast<uint64_t>(value) * fraction >> 32);
}
#endif

}  // namespace loadcenter
