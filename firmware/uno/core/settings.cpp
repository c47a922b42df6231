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
uint8_t offset_of(const SettingRow* row) { return flash_u8(&row->offset); }

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

uint8_t byte_of_value(uint16_t value, uint8_t position) {
  return static_cast<uint8_t>(value >> (8 * position));
}

// Returns the memory in which the value at `place` lives.
uint8_t* member(Settings& settings, const Place& place) {
  void* owner = place.outlet == 0 ? static_cast<void*>(&settings)
                                  : static_cast<void*>(&settings.outlet[place.outlet - 1]);
  return static_cast<uint8_t*>(owner) + offset_of(place.row);
}

uint16_t get(const Settings& settings, const Place& place) {
  const uint8_t* from = member(const_cast<Settings&>(settings), place);
  return size_of(place.row) == 1 ? *from : *reinterpret_cast<const uint16_t*>(from);
}

void set(Settings& settings, const Place& place, uint16_t value) {
  uint8_t* to = member(settings, place);
  if (size_of(place.row) == 1) {
    *to = static_cast<uint8_t>(value);
  } else {
    *reinterpret_cast<uint16_t*>(to) = value;
  }
}

bool valid(const SettingRow* row, uint16_t value) {
  return value >= flash_u16(&row->low) && value <= flash_u16(&row->high);
}

uint16_t stored_at(const Place& place, ReadByte read, uint16_t base) {
  uint16_t value = 0;
  for (uint8_t i = size_of(place.row); i-- > 0;) {
    value = static_cast<uint16_t>(value << 8 | read(base, static_cast<uint8_t>(place.at + i)));
  }
  return value;
}

}  // namespace

Check check_setting(uint32_t number, uint32_t outlet, uint32_t value, StoredValue& stored) {
  const bool of_outlet = number > kOutletNumbers;
  const uint32_t row = number - (of_outlet ? kOutletNumbers + 1 : 1);
  if (row >= (of_outlet ? kOutletSettings : kPduSettings)) return Check::kUnknown;
  if (of_outlet ? outlet - 1 >= kOutlets : outlet != 0) return Check::kRefused;
  const SettingRow* wanted = (of_outlet ? kOutletRows : kPduRows) + row;
  Place place = first_place();
  while (place.row != wanted || place.outlet != static_cast<uint8_t>(outlet)) next_place(place);
  stored = {place.at, size_of(place.row), static_cast<uint16_t>(value)};
  return value <= UINT16_MAX && valid(place.row, stored.value) ? Check::kTaken : Check::kRefused;
}

void set_factory(Settings& settings) {
  settings.version = 0;
  Place place = first_place();
  do set(settings, place, flash_u16(&place.row->factory));
  while (next_place(place));
}

uint8_t settings_byte(const Settings& settings, uint8_t at) {
  const Place place = place_of(at);
  return byte_of_value(get(settings, place), static_cast<uint8_t>(at - place.at));
}

uint8_t factory_byte(uint8_t at) {
  const Place place = place_of(at);
  return byte_of_value(flash_u16(&place.row->factory), static_cast<uint8_t>(at - place.at));
}

bool load_settings(Settings& settings, ReadByte read, uint16_t base) {
  Place place = first_place();
  do {
    if (!valid(place.row, stored_at(place, read, base))) return false;
  } while (next_place(place));
  place = first_place();
  do set(settings, place, stored_at(place, read, base));
  while (next_place(place));
  return true;
}

}  // namespace loadcenter
