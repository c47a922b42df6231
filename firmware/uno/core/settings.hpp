// What a PDU runs with: defaults, the check of one value, and the bytes in which settings are kept. The
// struct and the table of ranges come from spec/points.toml (points.hpp).
#pragma once

#include <stdint.h>

#include "points.hpp"

namespace loadcenter {

// Settings as they are kept: the values of the PDU, then those of each outlet, in the order of the table,
// lowest byte first and without padding, so that the AVR and a host read the same image.
constexpr uint8_t kSettingsImage = kPduSettingsBytes + kOutlets * kOutletSettingsBytes;

// Where a value stands in the image, and what it is.
struct StoredValue {
  uint8_t at;
  uint8_t size;
  uint16_t value;
};

enum class Check : uint8_t {
  kTaken,
  kUnknown,  // no setting of that number: ignored (SER-6)
  kRefused,  // out of its range, or of an outlet that is not there
};

// Settings of an outlet count on from here, those of the PDU from 1 (SER-40).
constexpr uint8_t kOutletNumbers = 100;

// Checks a value of an `S` frame; `stored` tells what to keep if it is taken.
Check check_setting(uint32_t number, uint32_t outlet, uint32_t value, StoredValue& stored);

void set_factory(Settings& settings);

// Returns byte `at` of the image of `settings`, of the factory's in the second form.
uint8_t settings_byte(const Settings& settings, uint8_t at);
uint8_t factory_byte(uint8_t at);

// Puts the image that `read(base, at)` yields into `settings`; false if a value is out of range: then they
// are not to be run with. The version is left alone.
using ReadByte = uint8_t (*)(uint16_t base, uint8_t at);
bool load_settings(Settings& settings, ReadByte read, uint16_t base);

}  // namespace loadcenter
