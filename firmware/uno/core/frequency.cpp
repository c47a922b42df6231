#include "frequency.hpp"

namespace loadcenter {
namespace {

constexpr uint8_t kCycles = static_cast<uint8_t>(board::kNominalMhz / 10000);  // 100 ms
constexpr uint8_t kSilentBlocks = 6;                                           // 60 ms
// One cycle in a 256th of a scan, in mHz.
constexpr uint32_t kUnitMhz = static_cast<uint32_t>(256000000000ULL / board::kScanUs);
static_assert(kUnitMhz <= UINT32_MAX / kCycles, "the product below has 32 bits");

}  // namespace

uint32_t Frequency::time_of(const Crossing& crossing) {
  const int32_t after = crossing.after;
  const int32_t back = after * 256 / (after - crossing.before);
  return (static_cast<uint32_t>(crossing.scan) << 8) - static_cast<uint32_t>(back);
}

bool Frequency::take(const Crossing& crossing) {
  const uint8_t passed = static_cast<uint8_t>(crossing.number - number_);
  if (passed == 0) {
    if (silent_ < kSilentBlocks && ++silent_ == kSilentBlocks) {
      lose();
    }
    return false;
  }
  number_ = crossing.number;
  silent_ = 0;
  last_ = time_of(crossing);
  cycles_ = static_cast<uint8_t>(cycles_ + passed);
  if (begun_ && cycles_ < kCycles) {
    return true;
  }
  if (begun_ && cycles_ == kCycles) {
    const uint32_t span = static_cast<uint32_t>(time_between(first_, last_));
    mhz_ = static_cast<int32_t>(kUnitMhz * kCycles / span);
#if LOADCENTER_DIAGNOSTICS
    period_ = span / kCycles;
#endif
  }
  begun_ = true;
  first_ = last_;
  cycles_ = 0;
  return true;
}

void Frequency::lose() {
  mhz_ = kUnknown;
#if LOADCENTER_DIAGNOSTICS
  period_ = 0;
#endif
  begun_ = false;
}

}  // namespace loadcenter
