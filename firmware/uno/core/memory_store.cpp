#include "memory_store.hpp"

#include "points.hpp"

namespace loadcenter {

namespace {

// Byte 0 is what a person holds, byte 1 the layout; then each outlet.
constexpr uint8_t kMemoryLayout = 1;
constexpr uint8_t kMemoryHead = 2;
constexpr uint8_t kComparedAtOnce = 4;

constexpr uint8_t kWanted = 1;
constexpr uint8_t kLocked = 2;
constexpr uint8_t kHeatShift = 2;

uint8_t flags_of(const KeptOutlet& kept) {
  return static_cast<uint8_t>((kept.wanted ? kWanted : 0) | (kept.locked ? kLocked : 0) |
                              kept.heat_stage << kHeatShift);
}

uint8_t outlet_byte(const KeptOutlet& kept, uint8_t at) {
  if (at == 0) return flags_of(kept);
  return at == 1 ? kept.cause : kept.trip;
}

// Returns byte `at` of the record that holds now.
uint8_t byte_now(uint8_t at) {
  if (at == 0) return kept_held();
  if (at == 1) return kMemoryLayout;
  const uint8_t in_outlets = static_cast<uint8_t>(at - kMemoryHead);
  const uint8_t outlet = static_cast<uint8_t>(in_outlets / kOutletMemoryBytes + 1);
  return outlet_byte(kept_outlet(outlet), static_cast<uint8_t>(in_outlets % kOutletMemoryBytes));
}

}  // namespace

KeptOutlet MemoryStore::outlet(uint8_t outlet) const {
  if (!ring_.found()) return {true, false, 0, code::kCauseRestore, 0};
  const uint8_t at = static_cast<uint8_t>(kMemoryHead + (outlet - 1) * kOutletMemoryBytes);
  const uint8_t flags = ring_.read(kMemoryPlace, at);
  return {(flags & kWanted) != 0, (flags & kLocked) != 0, static_cast<uint8_t>(flags >> kHeatShift),
          ring_.read(kMemoryPlace, static_cast<uint8_t>(at + 1)),
          ring_.read(kMemoryPlace, static_cast<uint8_t>(at + 2))};
}

uint8_t MemoryStore::held() const { return ring_.found() ? ring_.read(kMemoryPlace, 0) : 0; }

bool MemoryStore::differs() {
  if (!ring_.found()) return true;
  for (uint8_t i = 0; i < kComparedAtOnce; ++i) {
    const uint8_t at = compared_;
    compared_ = compared_ + 1 == kMemoryBytes ? 0 : static_cast<uint8_t>(compared_ + 1);
    if (ring_.read(kMemoryPlace, at) != byte_now(at)) return true;
  }
  return false;
}

bool MemoryStore::step() {
  if (!ring_.writing()) {
    if (!differs()) return false;
    ring_.begin();
    compared_ = 0;
  }
  while (ring_.writing()) {
    const uint8_t byte = ring_.wants(kMemoryPlace) ? byte_now(ring_.next()) : 0;
    if (ring_.put(kMemoryPlace, byte)) return true;
  }
  return false;
}

}  // namespace loadcenter
