#include "record_ring.hpp"

#include "crc.hpp"
#include "ports.hpp"

namespace loadcenter {

uint16_t RecordRing::address(const RingPlace& place, uint8_t slot) const {
  return static_cast<uint16_t>(place.base + static_cast<uint16_t>(slot) * place.slot_bytes());
}

uint8_t RecordRing::target(const RingPlace& place) const {
  if (!found_) return 0;
  return slot_ + 1 == place.slots ? 0 : static_cast<uint8_t>(slot_ + 1);
}

bool RecordRing::whole(const RingPlace& place, uint8_t slot) const {
  const uint16_t base = address(place, slot);
  const uint8_t covered = static_cast<uint8_t>(place.record + 1);
  uint16_t crc = kCrcStart;
  for (uint8_t i = 0; i < covered; ++i) crc = crc16(crc, eeprom_read(static_cast<uint16_t>(base + i)));
  const uint16_t kept = static_cast<uint16_t>(eeprom_read(static_cast<uint16_t>(base + covered)) << 8 |
                                              eeprom_read(static_cast<uint16_t>(base + covered + 1)));
  return crc == kept;
}

bool RecordRing::find(const RingPlace& place) {
  found_ = false;
  writing_ = false;
  for (uint8_t slot = 0; slot < place.slots; ++slot) {
    if (!whole(place, slot)) continue;
    const uint8_t number = eeprom_read(address(place, slot));
    // Numbers roll over; those of one row are never further apart than it is long.
    const bool newer = static_cast<int8_t>(static_cast<uint8_t>(number - number_)) > 0;
    if (!found_ || newer) {
      found_ = true;
      slot_ = slot;
      number_ = number;
    }
  }
  return found_;
}

uint8_t RecordRing::read(const RingPlace& place, uint8_t at) const {
  return eeprom_read(static_cast<uint16_t>(address(place, slot_) + 1 + at));
}

bool RecordRing::put(const RingPlace& place, uint8_t byte) {
  const uint8_t behind = static_cast<uint8_t>(place.record + 1);
  if (at_ == 0) {
    byte = static_cast<uint8_t>(number_ + 1);
    crc_ = kCrcStart;
  } else if (at_ == behind) {
    byte = static_cast<uint8_t>(crc_ >> 8);
  } else if (at_ > behind) {
    byte = static_cast<uint8_t>(crc_);
  }
  const uint16_t to = static_cast<uint16_t>(address(place, target(place)) + at_);
  const bool differs = eeprom_read(to) != byte;
  if (differs) eeprom_write(to, byte);
  if (at_ < behind) crc_ = crc16(crc_, byte);
  if (at_++ > behind) {
    slot_ = target(place);
    number_ = static_cast<uint8_t>(number_ + 1);
    found_ = true;
    writing_ = false;
  }
  return differs;
}

}  // namespace loadcenter
