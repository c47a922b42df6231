#include "moments.hpp"

#include "roots.hpp"

namespace loadcenter {

bool Sums::add(int16_t block_sum, uint32_t block_squares) {
  sum += block_sum;
  squares += block_squares;
  ++blocks;
  return blocks >= ends;
}

void Sums::clear() {
  sum = 0;
  squares = 0;
  blocks = 0;
  ends = kSecondBlocks;
}

Moments Sums::moments(uint16_t samples) const {
  Moments moments;
  const int32_t mean = sum * 256 / samples;
  moments.mean = static_cast<int16_t>(mean > INT16_MAX ? INT16_MAX : mean < -INT16_MAX ? -INT16_MAX : mean);
  moments.square = (squares / samples << 8) + (squares % samples << 8) / samples;
  const uint32_t away = static_cast<uint32_t>(static_cast<int32_t>(moments.mean) * moments.mean) >> 8;
  moments.variance = moments.square > away ? moments.square - away : 0;
  return moments;
}

int32_t units_of(uint32_t mean_square, uint32_t unit) {
  return static_cast<int32_t>((part(root_q20(mean_square), unit) + 128) >> 8);
}

}  // namespace loadcenter
