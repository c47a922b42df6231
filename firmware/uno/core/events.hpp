// What has happened, held until the gateway acknowledges it (SER-20).
#pragma once

#include <stdint.h>

#include "points.hpp"

namespace loadcenter {

// One event, as it is put in and taken out. The numbers are those of spec/serial.toml, in their order.
struct Event {
  uint8_t code;     // number in spec/codes.toml
  uint8_t outlet;   // from 1; 0 is none
  uint8_t source;   // 0 none, 1 main, 2 backup
  uint8_t cause;    // number in spec/codes.toml; 0 is none
  uint8_t because;  // how many events before this one the one stands that led to it; 0 is none
  uint8_t count;    // of numbers
  uint32_t at_ms;   // on the clock of this start
  int32_t number[kEventNumbersMax];  // kUnknown where not known
};

// Holds events packed to 9 bytes and 1 to 5 for each number: 16 of them where a transfer comes with its loss
// and its return, 7 of the largest kind. When there is no room the oldest goes, and is
// counted.
class EventRing {
 public:
  // Notes an event and returns its number: from 1 in each start, rolling over past 65,535 to 1.
  uint16_t add(const Event& event);

  bool empty() const { return held_ == 0; }
  uint8_t held() const { return held_; }
  uint16_t oldest() const { return following(before_); }  // its number
  uint16_t next() const { return following(last_); }      // the number that the next event gets
  uint16_t dropped() const { return dropped_; }

  // Unpacks the oldest event; only while there is one.
  void front(Event& event) const;

  // Removes the oldest event if its number is `seq`.
  void acknowledge(uint16_t seq);

 private:
  static constexpr uint16_t following(uint16_t number) {
    return number == UINT16_MAX ? 1 : static_cast<uint16_t>(number + 1);
  }

  static constexpr uint8_t kPool = LOADCENTER_ROOMY ? 248 : 120;

  static uint8_t on(uint8_t at, uint8_t by);
  void remove();
  void write(uint8_t byte);
  void write_packed(int32_t value);
  uint8_t read(uint8_t& at) const;
  int32_t read_packed(uint8_t& at) const;

  uint8_t first_;  // where the oldest event begins
  uint8_t used_;
  uint16_t before_;  // number of the event before the oldest
  uint16_t last_;    // number of the newest event
  uint16_t dropped_;
  uint8_t held_;
  uint8_t pool_[kPool];
};

}  // namespace loadcenter
