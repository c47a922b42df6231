#include "curves.hpp"

#include "../tables.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kSteps = 16;  // in each octave
constexpr uint16_t kMultipleMost = 16 * 256;

uint16_t ni_rate_at(uint8_t step) { return flash_u16(&kNiRates[step]); }

// By a table: the power 0.02 is no matter of integers. Times 2^17.
uint16_t ni_rate(uint16_t whole) {
  if (whole == kMultipleMost) return ni_rate_at(kCurveSteps - 1);
  uint8_t shift = 4;  // a step is 16 wide in the first octave, and twice as wide in each further one
  uint8_t step = 0;
  while (whole >> (shift + 5) != 0) {
    ++shift;
    step = static_cast<uint8_t>(step + kSteps);
  }
  step = static_cast<uint8_t>(step + (whole >> shift) - kSteps);
  const uint8_t within = static_cast<uint8_t>(whole & ((1U << shift) - 1));
  const uint16_t low = ni_rate_at(step);
  const uint16_t rise = static_cast<uint16_t>(ni_rate_at(static_cast<uint8_t>(step + 1)) - low);
  return static_cast<uint16_t>(low + (static_cast<uint32_t>(rise) * within >> shift));
}

// `multiple` is I / Is in 1/256, at least 256.
int32_t rate(Curve curve, uint32_t multiple) {
  const uint16_t whole = multiple > kMultipleMost ? kMultipleMost : static_cast<uint16_t>(multiple);
  if (curve == Curve::kNi) return static_cast<int32_t>(ni_rate(whole)) * 8;
  const uint32_t square = static_cast<uint32_t>(whole) * whole;
  if (curve == Curve::kEi) return static_cast<int32_t>((square - 65536) / 5);
  return static_cast<int32_t>(static_cast<uint32_t>(whole - 256) * 8192 / 27);
}

}  // namespace

bool advance(int32_t& progress, uint16_t current_ma, Curve curve, uint16_t pickup_ma, uint16_t tms_permille) {
  const int32_t full = trips_at(tms_permille);
  uint8_t lasts_ms = step_now.step_ms;
  if (lasts_ms > kCurveStepMsMost) lasts_ms = static_cast<uint8_t>(kCurveStepMsMost);
  if (current_ma > pickup_ma) {
    progress += rate(curve, static_cast<uint32_t>(current_ma) * 256 / pickup_ma) * lasts_ms;
    if (progress > full) progress = full;
    return progress == full;
  }
  progress -= full / (static_cast<int32_t>(step_now.settings->idmt_reset_s) * 1000) * lasts_ms;
  if (progress < 0) progress = 0;
  return false;
}

}  // namespace loadcenter
