// A stretch of code in which no conversion is worked on. Given by `avr/` (interrupts held off) and by `host/`
// (nothing: one thread).
#pragma once

#include <stdint.h>

namespace loadcenter {

uint8_t hold_interrupts();
uint8_t hold_between_scans();  // waits for the end of a scan first, at most 0.4 ms: what takes longer delays
                               // none then
void release_interrupts(uint8_t held);

// Has a value reckoned by now: the compiler may else move its division into a stretch that holds interrupts
// off.
template <typename Value>
inline void reckon(Value value) {
  asm volatile("" : : "r"(value));
}

class Critical {
 public:
  Critical() : held_(hold_interrupts()) {}
  ~Critical() { release_interrupts(held_); }
  Critical(const Critical&) = delete;
  Critical& operator=(const Critical&) = delete;

 private:
  uint8_t held_;
};

class BetweenScans {
 public:
  BetweenScans() : held_(hold_between_scans()) {}
  ~BetweenScans() { release_interrupts(held_); }
  BetweenScans(const BetweenScans&) = delete;
  BetweenScans& operator=(const BetweenScans&) = delete;

 private:
  uint8_t held_;
};

}  // namespace loadcenter
