#include "settings.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

static_assert(kBudgetMostMa <= board::kChangeoverRatingMa,
              "no budget above the rating of the changeover is taken: lower its range in spec/points.toml");

// One value of the table, found by its place in the image: its row, and where it begins.
struct Place {
  const SettingRow* row;
  uint8_t outlet;  // from 1; 0 for one of the PDU
  uint8_t at;
};

uint8_t size_of(const SettingRow* row) { return flash_u8(&row->size); }

// Walks all values in the order of the image; false behind the last one.
bool next_place(Place& place) {
  const bool of_pdu = place.outlet == 0;
  place.at = static_cast<uint8_t>(place.at + size_of(place.row));
  ++place.row;
  const SettingRow* end = of_pdu ? kPduRows + kPduSettings : kOutletRows + kOutletSettings;
  if (place.row != end) return true;
  place.row = kOutletRows;
  return ++place.outlet <= kOutlets;
}

Place first_place() { return {kPduRows, 0, 0}; }

Place place_of(uint8_t at) {
  Place place = first_place();
  while (static_cast<uint8_t>(at - place.at) >= size_of(place.row)) next_place(place);
  return place;
}

// Settings lie in memory as they are kept, behind their version: they are packed, in the order of the table.
constexpr uint8_t kVersionBytes = sizeof(uint32_t);
static_assert(sizeof(Settings) == kVersionBytes + kSettingsImage, "no padding");

uint8_t* image_of(Settings& settings) { return reinterpret_cast<uint8_t*>(&settings) + kVersionBytes; }

bool valid(const SettingRow* row, uint16_t value) {
  return value >= flash_u16(&row->low) && value <= flash_u16(&row->high);
}

uint8_t read_factory(uint16_t, uint8_t at) { return factory_byte(at); }

}  // namespace

Check check_setting(uint32_t number, uint32_t outlet, uint32_t value, StoredValue& stored) {
  if (number > UINT8_MAX) return Check::kUnknown;
  const bool of_outlet = number > kOutletNumbers;
  const uint8_t row = static_cast<uint8_t>(number - (of_outlet ? kOutletNumbers + 1 : 1));
  if (row >= (of_outlet ? kOutletSettings : kPduSettings)) return Check::kUnknown;
  if (outlet > (of_outlet ? kOutlets : 0) || of_outlet != (outlet != 0) || value > UINT16_MAX)
    return Check::kRefused;
  const SettingRow* wanted = (of_outlet ? kOutletRows : kPduRows) + row;
  Place place = first_place();
  while (place.row != wanted || place.outlet != static_cast<uint8_t>(outlet)) next_place(place);
  stored = {place.at, size_of(place.row), static_cast<uint16_t>(value)};
  return valid(place.row, stored.value) ? Check::kTaken : Check::kRefused;
}

void set_factory(Settings& settings) {
  settings.version = 0;
  load_settings(settings, read_factory, 0);
}

uint8_t settings_byte(const Settings& settings, uint8_t at) {
  return image_of(const_cast<Settings&>(settings))[at];
}

uint8_t factory_byte(uint8_t at) {
  const Place place = place_of(at);
  const uint16_t value = flash_u16(&place.row->factory);
  return static_cast<uint8_t>(at == place.at ? value : value >> 8);
}

bool load_settings(Settings& settings, ReadByte read, uint16_t base) {
  uint8_t* image = image_of(settings);
  for (uint8_t at = 0; at < kSettingsImage; ++at) image[at] = read(base, at);
  Place place = first_place();
  do {
    const uint8_t* from = image + place.at;
    const uint16_t value = static_cast<uint16_t>(size_of(place.row) == 1 ? *from : *from | from[1] << 8);
    if (!valid(place.row, value)) return false;
  } while (next_place(place));
  return true;
}

}  // namespace loadcenter
