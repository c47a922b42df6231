// All that is kept in EEPROM, behind one door, so that one byte is written at a time.
#pragma once

#include <stdint.h>

#include "counters.hpp"
#include "memory_store.hpp"
#include "points.hpp"
#include "settings_store.hpp"

namespace loadcenter {

struct Records {
  SettingsStore store;
  MemoryStore memory;
  Counters counters;
  Settings settings;  // what runs

  // Reads everything, and counts this start.
  void load(uint32_t now_ms);

  // Writes at most one byte. To be called once a pass, whether the EEPROM is ready or not.
  void step(uint32_t now_ms);
};

}  // namespace loadcenter
