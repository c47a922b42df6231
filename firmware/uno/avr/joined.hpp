// The parts that the serial line asks about, where joined.cpp finds them.
#pragma once

#include "../core/pdu.hpp"

namespace loadcenter {

extern Pdu pdu;

// How busy the chip is.
class CpuLoad {
 public:
  void late(uint16_t late_us) { late_us_ = late_us > late_us_ ? late_us : late_us_; }
  void step(uint32_t cycles) { cycles_ += cycles; }
  void end_second();

  uint16_t permille() const { return permille_; }
  uint16_t take_late_us();

 private:
  uint32_t cycles_;
  uint16_t late_us_;
  uint16_t permille_;
};

extern CpuLoad cpu_load;

}  // namespace loadcenter
