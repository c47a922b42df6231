#include "curves.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kSteps = 16;    // in each octave
constexpr uint8_t kOctaves = 4;
constexpr int32_t kOne = 256;     // I / Is is reckoned in 1/256

int32_t rate_at(Curve curve, uint8_t index) {
  return static_cast<int32_t>(flash_u32(&kCurveRates[static_cast<uint8_t>(curve)][index]));
}

int32_t rate(Curve curve, int32_t multiple) {
  if (multiple >= kOne << kOctaves) return rate_at(curve, kSteps * kOctaves);
  uint8_t octave = 0;
  while (multiple >= kOne << (octave + 1)) ++octave;
  // The width of a step is a power of two: it shifts instead of dividing.
  const uint8_t shift = static_cast<uint8_t>(4 + octave);
  const int32_t past = multiple - (kOne << octave);
  const uint8_t index = static_cast<uint8_t>(octave * kSteps + (past >> shift));
  const int32_t within = past & ((static_cast<int32_t>(1) << shift) - 1);
  const int32_t low = rate_at(curve, index);
  return low + (((rate_at(curve, static_cast<uint8_t>(index + 1)) - low) * within) >> shift);
}

}  // namespace

int32_t advanced(int32_t progress, int32_t current_ma, Curve curve, int32_t pickup_ma, uint16_t tms_permille,
                 uint8_t reset_s, uint32_t step_ms) {
  const int32_t lasts_ms = step_ms > kCurveStepMsMost ? kCurveStepMsMost : static_cast<int32_t>(step_ms);
  const int32_t full = trips_at(tms_permille);
  if (current_ma > pickup_ma) {
    const int32_t grown = progress + rate(curve, current_ma * kOne / pickup_ma) * lasts_ms;
    return grown > full ? full : grown;
  }
  const int32_t fallen = progress - full / (static_cast<int32_t>(reset_s) * 1000) * lasts_ms;
  return fallen < 0 ? 0 : fallen;
}

}  // namespace loadcenter
