// Energy counters of 48 bits and the count of starts, with their record in EEPROM.
#pragma once

#include <stdint.h>

#include "energy.hpp"
#include "record_ring.hpp"

namespace loadcenter {

constexpr uint32_t kSaveMs =
    300000;  // a record is written this long after the one before, if anything was counted,
constexpr uint32_t kSaveMwh = 100000;    // or when one outlet has counted this much
constexpr uint16_t kElapsedMaxMs = 500;  // longest time that is counted at once: 7 kW still fit into 32 bits

class Counters {
 public:
  // Takes the newest record, or begins at 0, and counts this start.
  void load(uint32_t now_ms);

  // Adds what `power_mw` comes to in `elapsed_ms`, with the remainder carried. `outlet` counts from 1. A
  // counter only rises: power that flows back, and power that is not known, count as none.
  void add(uint8_t outlet, int32_t power_mw, uint16_t elapsed_ms);

  // Takes the larger of what is counted and what somebody else has seen (SER-42).
  void take_larger(uint8_t outlet, const Energy& energy);

  const Energy& energy(uint8_t outlet) const { return energy_[outlet - 1]; }
  uint16_t starts() const { return starts_; }

  // Writes at most one byte; returns whether it did. To be called while the EEPROM is ready.
  bool step(uint32_t now_ms);

 private:
  uint8_t kept(uint8_t outlet, uint8_t at) const;
  bool due(uint32_t now_ms) const;
  uint8_t byte_of_record(uint8_t at);

  Energy energy_[kOutlets];
  uint32_t remainder_[kOutlets];  // mW ms below one mWh
  Energy writing_;  // the counter whose bytes are being written: it must not change between them
  uint32_t saved_ms_;
  RecordRing ring_;
  uint16_t starts_;
  uint8_t looked_;  // calls of `step`; rolls over
};

}  // namespace loadcenter
