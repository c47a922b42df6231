// Sums of the samples of one channel over a second, and what follows from them.
#pragma once

#include <stdint.h>

namespace loadcenter {

constexpr uint8_t kSecondBlocks = 100;

struct Moments {
  int16_t mean;       // in 256ths of a count; no further than 127 counts
  uint32_t square;    // mean of squares, in 256ths
  uint32_t variance;  // without the mean, in 256ths
};

struct Sums {
  int32_t sum;
  uint32_t squares;
  uint8_t blocks;
  uint8_t ends;  // so many blocks are a second

  // Returns whether the second is whole.
  bool add(int16_t block_sum, uint32_t block_squares);
  void clear();
  Moments moments(uint16_t samples) const;
};

// Returns the root of a mean square in 256ths, in the unit of which `unit` / 2^20 are in a count, rounded.
int32_t units_of(uint32_t mean_square, uint32_t unit);

}  // namespace loadcenter
