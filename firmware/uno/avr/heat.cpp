#include "heat.hpp"

#include "../core/crc.hpp"

namespace loadcenter {
namespace {

struct Kept {
  int32_t heat_ppm[kOutlets];
  uint16_t crc;
};

Kept kept_ __attribute__((section(".noinit")));

uint16_t crc_of_kept() {
  uint16_t crc = kCrcStart;
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(kept_.heat_ppm);
  for (uint8_t left = sizeof kept_.heat_ppm; left != 0; --left) {
    crc = crc16(crc, *bytes++);
  }
  return crc;
}

}  // namespace

void save_heat(const Decision& decision) {
  for (uint8_t k = 0; k < kOutlets; ++k) {
    kept_.heat_ppm[k] = decision.outlet(k).guard.heat_ppm;
  }
  kept_.crc = crc_of_kept();
}

void load_heat(Decision& decision) {
  if (kept_.crc != crc_of_kept()) {
    return;
  }
  for (uint8_t k = 0; k < kOutlets; ++k) {
    decision.set_heat(k, kept_.heat_ppm[k]);
  }
}

}  // namespace loadcenter
