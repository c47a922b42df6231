#include "memory_store.hpp"

#include "points.hpp"

namespace loadcenter {

namespace {

// Byte 0 is what a person holds, byte 1 the layout; then each outlet.
constexpr uint8_t kMemoryLayout = 1;
constexpr uint8_t kMemoryHead = 2;
constexpr uint8_t kComparedAtOnce = 8;
constexpr uint32_t kLongest = 0xFFFFFF;  // ms that 24 bits hold: 4.6 h

constexpr uint8_t kWanted = 1;
constexpr uint8_t kLocked = 2;
constexpr uint8_t kHeatShift = 2;

uint8_t byte_of(uint32_t value, uint8_t position) { return static_cast<uint8_t>(value >> (8 * position)); }

uint8_t flags_of(const KeptOutlet& kept) {
  return static_cast<uint8_t>((kept.wanted ? kWanted : 0) | (kept.locked ? kLocked : 0) |
                              kept.heat_stage << kHeatShift);
}

uint8_t outlet_byte(const KeptOutlet& kept, uint8_t at) {
  if (at == 0) return flags_of(kept);
  if (at == 1) return kept.cause;
  if (at == 2) return kept.trip;
  if (at < 7) return byte_of(static_cast<uint32_t>(kept.measured), static_cast<uint8_t>(at - 3));
  if (at < 11) return byte_of(static_cast<uint32_t>(kept.limit), static_cast<uint8_t>(at - 7));
  return byte_of(kept.limit_ms < kLongest ? kept.limit_ms : kLongest, static_cast<uint8_t>(at - 11));
}

// Returns byte `at` of the record that holds now.
uint8_t byte_now(uint8_t at) {
  if (at == 0) return kept_held();
  if (at == 1) return kMemoryLayout;
  const uint8_t in_outlets = static_cast<uint8_t>(at - kMemoryHead);
  const uint8_t outlet = static_cast<uint8_t>(in_outlets / kOutletMemoryBytes + 1);
  return outlet_byte(kept_outlet(outlet), static_cast<uint8_t>(in_outlets % kOutletMemoryBytes));
}

uint32_t number(const RecordRing& ring, uint8_t at, uint8_t size) {
  uint32_t value = 0;
  while (size-- > 0) value = value << 8 | ring.read(kMemoryPlace, static_cast<uint8_t>(at + size));
  return value;
}

}  // namespace

KeptOutlet MemoryStore::outlet(uint8_t outlet) const {
  if (!ring_.found()) return {true, false, 0, code::kCauseRestore, 0, 0, 0, 0};
  const uint8_t at = static_cast<uint8_t>(kMemoryHead + (outlet - 1) * kOutletMemoryBytes);
  const uint8_t flags = ring_.read(kMemoryPlace, at);
  return {(flags & kWanted) != 0,
          (flags & kLocked) != 0,
          static_cast<uint8_t>(flags >> kHeatShift),
          ring_.read(kMemoryPlace, static_cast<uint8_t>(at + 1)),
          ring_.read(kMemoryPlace, static_cast<uint8_t>(at + 2)),
          static_cast<int32_t>(number(ring_, static_cast<uint8_t>(at + 3), 4)),
          static_cast<int32_t>(number(ring_, static_cast<uint8_t>(at + 7), 4)),
          number(ring_, static_cast<uint8_t>(at + 11), 3)};
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
