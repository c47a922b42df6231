#include "counters.hpp"

#include "types.hpp"

namespace loadcenter {

namespace {

constexpr uint32_t kMwMsPerMwh = 3600000;
constexpr int32_t kPowerMaxMw =
    8000000;  // more than a sensor of 25 A peak can show; keeps the sums in 32 bits
constexpr uint8_t kCounterHead = 2;
constexpr uint8_t kLookEvery = 16;  // calls

static_assert(kPowerMaxMw * static_cast<uint64_t>(kElapsedMaxMs) + kMwMsPerMwh <= UINT32_MAX, "the sum fits");

}  // namespace

void Counters::load(uint32_t now_ms) {
  starts_ = 1;
  if (ring_.find(kCounterPlace)) {
    const uint16_t before =
        static_cast<uint16_t>(ring_.read(kCounterPlace, 0) | ring_.read(kCounterPlace, 1) << 8);
    starts_ = static_cast<uint16_t>(before + 1);
  }
  for (uint8_t i = 0; i < kOutlets; ++i) {
    energy_[i] = {};
    remainder_[i] = 0;
    for (uint8_t at = 0; ring_.found() && at < Energy::kBytes; ++at) {
      energy_[i].bytes[at] = kept(static_cast<uint8_t>(i + 1), at);
    }
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
  energy_[outlet - 1].add(whole);
}

void Counters::take_larger(uint8_t outlet, const Energy& energy) {
  if (energy > energy_[outlet - 1]) energy_[outlet - 1] = energy;
}

uint8_t Counters::kept(uint8_t outlet, uint8_t at) const {
  return ring_.read(kCounterPlace, static_cast<uint8_t>(kCounterHead + (outlet - 1) * Energy::kBytes + at));
}

bool Counters::due(uint32_t now_ms) const {
  const bool long_ago = now_ms - saved_ms_ >= kSaveMs;
  for (uint8_t outlet = 1; outlet <= kOutlets; ++outlet) {
    uint32_t kept_mwh = 0;
    for (uint8_t at = 4; at-- > 0;) kept_mwh = kept_mwh << 8 | kept(outlet, at);
    const uint32_t counted_mwh = energy(outlet).low_mwh() - kept_mwh;
    if (counted_mwh >= kSaveMwh || (long_ago && counted_mwh != 0)) return true;
  }
  return false;
}

uint8_t Counters::byte_of_record(uint8_t at) {
  if (at < kCounterHead) return static_cast<uint8_t>(starts_ >> (8 * at));
  const uint8_t in_outlets = static_cast<uint8_t>(at - kCounterHead);
  const uint8_t position = static_cast<uint8_t>(in_outlets % Energy::kBytes);
  if (position == 0) writing_ = energy_[in_outlets / Energy::kBytes];
  return writing_.bytes[position];
}

bool Counters::step(uint32_t now_ms) {
  if (!ring_.writing()) {
    // A hundred watt-hours take longer than a minute, and a look at all outlets takes 0.2 ms.
    if (++looked_ % kLookEvery != 0 || !due(now_ms)) return false;
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
