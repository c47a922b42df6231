// What lies where in EEPROM, and for how long its cells last.
//
//            4 outlets (1 KB)                 8 outlets (4 KB)
//     0      settings, copy A   112 B         settings, copy A   176 B
//   112      settings, copy B   112 B         settings, copy B   176 B
//   224      memory, 13 slots 13 x 17 B       memory, 13 slots 13 x 29 B
//   445      counters, 19 slots 19 x 29 B     counters, 63 slots 63 x 53 B
//
// A cell lasts 100,000 writes (ATmega328P, 8.4). Only bytes that differ are written. Most written is the
// number of a slot, once each time the slot is used:
//   counters   every 300 s, 19 slots: 105,120 / 19 = 5,533 a year, 18 years; when nothing is drawn, not at
//   all.
//              100 Wh of one outlet come sooner only above 1,200 W, which no outlet of the reference unit
//              carries.
//   memory     on a change of a wish, lock, latch or quarter of heat, 13 slots: 1,300,000 changes, 100 a day
//   for
//              35 years
//   settings   on each new version, by turns: 200,000 of them
#pragma once

#include <stdint.h>

#include "settings.hpp"
#include "types.hpp"

namespace loadcenter {

constexpr uint16_t kEepromBytes = kOutlets <= 4 ? 1024 : 4096;

constexpr uint8_t kSettingsHead = 7;  // layout 2, serial 1, version 4
constexpr uint16_t kSettingsBytes = kSettingsHead + kSettingsImage + 2;
constexpr uint16_t kSettingsCopy = (kSettingsBytes + 15) / 16 * 16;

static_assert(kSettingsCopy <= 256, "a copy of the settings takes 256 bytes at most");

// A row of slots that are used by turns (RecordRing). A slot holds its number, the record and a CRC.
struct RingPlace {
  uint16_t base;
  uint8_t slots;
  uint8_t record;  // bytes of the record alone

  constexpr uint8_t slot_bytes() const { return static_cast<uint8_t>(record + 3); }
  constexpr uint16_t end() const { return static_cast<uint16_t>(base + slots * slot_bytes()); }
};

constexpr uint8_t kOutletMemoryBytes = 3;
constexpr uint8_t kMemoryBytes = 2 + kOutlets * kOutletMemoryBytes;
constexpr uint8_t kCounterBytes = 2 + kOutlets * 6;

constexpr RingPlace kMemoryPlace = {2 * kSettingsCopy, 13, kMemoryBytes};
constexpr RingPlace kCounterPlace = {
    kMemoryPlace.end(), static_cast<uint8_t>((kEepromBytes - kMemoryPlace.end()) / (kCounterBytes + 3)),
    kCounterBytes};

static_assert(kCounterPlace.end() <= kEepromBytes, "everything has its place");
static_assert(kCounterPlace.slots >= 16 && kCounterPlace.slots <= 100,
              "18 years, and numbers of 8 bits suffice");

}  // namespace loadcenter
