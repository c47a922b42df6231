// A stretch of code in which no conversion is worked on. Given by `avr/` (interrupts held off) and by `host/`
// (nothing: one thread).
#pragma once

#include <stdint.h>

namespace loadcenter {

uint8_t hold_interrupts();
void release_interrupts(uint8_t held);

class Critical {
 public:
  Critical() : held_(hold_interrupts()) {}
  ~Critical() { release_interrupts(held_); }
  Critical(const Critical&) = delete;
  Critical& operator=(const Critical&) = delete;

 private:
  uint8_t held_;
};

}  // namespace loadcenter
