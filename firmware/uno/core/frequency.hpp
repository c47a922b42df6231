// The period of a source, from its rising zero crossings. Times are in 256ths of a scan.
#pragma once

#include <stdint.h>

#include "sampler.hpp"

namespace loadcenter {

// Begins zeroed (static storage) and with `lose`.
class Frequency {
 public:
  // Each block, with the newest crossing. Returns whether it is one more.
  bool take(const Crossing& crossing);

  void lose();  // there is too little voltage to tell

  int32_t mhz() const { return mhz_; }  // kUnknown until it is known
#if LOADCENTER_DIAGNOSTICS
  uint32_t period() const { return period_; }  // 0 likewise
#endif
  uint32_t at() const { return last_; }  // the last crossing; rolls over after 2^24

 private:
  static uint32_t time_of(const Crossing& crossing);

  int32_t mhz_;
#if LOADCENTER_DIAGNOSTICS
  uint32_t period_;
#endif
  uint32_t first_;
  uint32_t last_;
  uint8_t number_;  // of the last crossing
  uint8_t cycles_;  // since `first_`
  uint8_t silent_;  // blocks since the last crossing
  bool begun_;
};

// Returns the time from one crossing to another in 256ths of a scan, of which one may lie before the other.
inline int32_t time_between(uint32_t from, uint32_t to) {
  const uint32_t difference = (to - from) << 8;  // of 24 bits
  return static_cast<int32_t>(difference) / 256;
}

}  // namespace loadcenter
