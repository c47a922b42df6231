// Wishes, locks, latches and heat in EEPROM. The record is compared with what holds now all the time, and
// written when they differ: nothing needs to say that something has changed.
#pragma once

#include <stdint.h>

#include "joined.hpp"
#include "record_ring.hpp"

namespace loadcenter {

class MemoryStore {
 public:
  // Finds the newest record; false if there is none, as in a new PDU.
  bool load() { return ring_.find(kMemoryPlace); }

  // What was kept; a new PDU comes up with its outlets on. `outlet` counts from 1.
  KeptOutlet outlet(uint8_t outlet) const;
  uint8_t held() const;

  // Writes at most one byte; returns whether it did. To be called while the EEPROM is ready. From a change to
  // the end of its record pass at most 4 calls and 17 bytes (7 and 29 with 8 outlets), a byte in some 5 ms:
  // within the hold-up of 0.5 s.
  bool step();

 private:
  bool differs();

  RecordRing ring_;
  uint8_t compared_;
};

}  // namespace loadcenter
