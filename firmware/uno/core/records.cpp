#include "records.hpp"

#include "ports.hpp"

namespace loadcenter {

void Records::load(uint32_t now_ms) {
  store.load(settings);
  memory.load();
  counters.load(now_ms);
}

void Records::step(uint32_t now_ms) {
  if (!eeprom_ready()) return;
  // A latch must be kept before the supply goes; settings and energy can be told again.
  if (memory.step()) return;
  if (store.busy()) {
    store.step();
    return;
  }
  counters.step(now_ms);
}

}  // namespace loadcenter
