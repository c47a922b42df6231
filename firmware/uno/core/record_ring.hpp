// A record in EEPROM that is written to the next of a row of slots each time, so that its cells wear evenly
// and a write that is cut at any byte leaves the record before. One byte a call, because a byte takes 3.4 ms.
#pragma once

#include <stdint.h>

#include "eeprom_map.hpp"

namespace loadcenter {

class RecordRing {
 public:
  // Finds the newest whole record; false if there is none.
  bool find(const RingPlace& place);
  bool found() const { return found_; }

  // Returns byte `at` of the newest record.
  uint8_t read(const RingPlace& place, uint8_t at) const;

  // Begins to write a record, anew if one is under way.
  void begin() {
    at_ = 0;
    writing_ = true;
  }
  bool writing() const { return writing_; }

  // Which byte of the record `put` wants next; valid while `wants` is true. Otherwise `put` writes what goes
  // around it.
  bool wants(const RingPlace& place) const { return at_ >= 1 && at_ <= place.record; }
  uint8_t next() const { return static_cast<uint8_t>(at_ - 1); }

  // Takes the byte that is wanted and writes it if the cell holds another one. Returns whether a cell was
  // written.
  bool put(const RingPlace& place, uint8_t byte);

 private:
  uint16_t address(const RingPlace& place, uint8_t slot) const;
  uint8_t target(const RingPlace& place) const;
  bool whole(const RingPlace& place, uint8_t slot) const;

  uint8_t slot_;    // of the newest record
  uint8_t number_;  // of the newest record
  uint8_t at_;      // byte of the slot that is written next
  uint16_t crc_;
  bool found_;
  bool writing_;
};

}  // namespace loadcenter
