#include "counters.hpp"

#include "types.hpp"

namespace loadcenter {

namespace {

constexpr uint32_t kMwMsPerMwh = 3600000;
constexpr int32_t kPowerMaxMw =
    8000000;  // more than a sensor of 25 A peak can show; keeps the sums in 32 bits
constexpr uint8_t kCounterHead = 2;
constexpr uint8_t kEnergyBytes = 6;

static_assert(kPowerMaxMw * static_cast<uint64_t>(kElapsedMaxMs) + kMwMsPerMwh <= UINT32_MAX, "the sum fits");
constexpr uint64_t kTop = 0xFFFFFFFFFFFF;

}  // namespace

void Counters::load(uint32_t now_ms) {
  starts_ = 1;
  if (ring_.find(kCounterPlace)) {
    const uint16_t before =
        static_cast<uint16_t>(ring_.read(kCounterPlace, 0) | ring_.read(kCounterPlace, 1) << 8);
    starts_ = static_cast<uint16_t>(before + 1);
  }
  for (uint8_t i = 0; i < kOutlets; ++i) {
    energy_mwh_[i] = ring_.found() ? kept(static_cast<uint8_t>(i + 1)) : 0;
    remainder_[i] = 0;
  }
  saved_ms_ = now_ms;
  ring_.begin();
}

void Counters::add(uint8_t outlet, int32_t power_mw, uint16_t elapsed_ms) {
  if (power_mw <= 0) return;  // kUnknown is far below zero
  const uint16_t counted_ms = elapsed_ms < kElapsedMaxMs ? elapsed_ms : kElapsedMaxMs;
  uint32_t& remainder = remainder_[outlet - 1];
  const uint32_t counted_mw = static_cast<uint32_t>(power_mw < kPowerMaxMw ? power_mw : kPowerMaxMw);
  remainder += counted_mw * counted_ms;
  if (remainder < kMwMsPerMwh) return;
  const uint32_t whole = remainder / kMwMsPerMwh;
  remainder -= whole * kMwMsPerMwh;
  energy_mwh_[outlet - 1] = (energy_mwh_[outlet - 1] + whole) & kTop;
}

void Counters::take_larger(uint8_t outlet, uint64_t energy_mwh) {
  if (energy_mwh > energy_mwh_[outlet - 1]) energy_mwh_[outlet - 1] = energy_mwh & kTop;
}

uint64_t Counters::kept(uint8_t outlet) const {
  const uint8_t at = static_cast<uint8_t>(kCounterHead + (outlet - 1) * kEnergyBytes);
  uint64_t value = 0;
  for (uint8_t i = kEnergyBytes; i-- > 0;)
    value = value << 8 | ring_.read(kCounterPlace, static_cast<uint8_t>(at + i));
  return value;
}

bool Counters::due(uint32_t now_ms) const {
  const bool long_ago = now_ms - saved_ms_ >= kSaveMs;
  for (uint8_t outlet = 1; outlet <= kOutlets; ++outlet) {
    const uint64_t counted = energy_mwh(outlet) - kept(outlet);
    if (counted >= kSaveMwh || (long_ago && counted != 0)) return true;
  }
  return false;
}

uint8_t Counters::byte_of_record(uint8_t at) {
  if (at < kCounterHead) return static_cast<uint8_t>(starts_ >> (8 * at));
  const uint8_t in_outlets = static_cast<uint8_t>(at - kCounterHead);
  const uint8_t position = static_cast<uint8_t>(in_outlets % kEnergyBytes);
  if (position == 0) writing_mwh_ = energy_mwh_[in_outlets / kEnergyBytes];
  return static_cast<uint8_t>(writing_mwh_ >> (8 * position));
}

bool Counters::step(uint32_t now_ms) {
  if (!ring_.writing()) {
    if (!due(now_ms)) return false;
    ring_.begin();
    saved_ms_ = now_ms;
  }
  while (ring_.writing()) {
    const uint8_t byte = ring_.wants(kCounterPlace) ? byte_of_record(ring_.next()) : 0;
    if (ring_.put(kCounterPlace, byte)) return true;
  }
  return false;
}

}  // namespace loadcenter
