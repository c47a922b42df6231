#include "step_now.hpp"

namespace loadcenter {

StepNow step_now;

__attribute__((noinline)) const OutletSettings& settings_of(uint8_t i) {
  return step_now.settings->outlet[i];
}

void run(Age& age, bool holds) {
  if (!holds) {
    age = 0;
    return;
  }
  const uint16_t grown = static_cast<uint16_t>(age + (age == 0 ? 1 : step_now.step_ms));
  age = grown < age ? UINT16_MAX : grown;
}

void run(ShortAge& age, bool holds) {
  Age longer = age;
  run(longer, holds);
  age = static_cast<ShortAge>(longer > UINT8_MAX ? UINT8_MAX : longer);
}

void Moment::set() {
  ms = step_now.now_ms;
  known = true;
}

bool Moment::past(uint32_t lasts_ms) const { return known && step_now.now_ms - ms >= lasts_ms; }

}  // namespace loadcenter
