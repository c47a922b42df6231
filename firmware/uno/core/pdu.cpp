#include "pdu.hpp"

#include "critical.hpp"
#include "ports.hpp"

namespace loadcenter {
namespace {

constexpr uint8_t kBlockMs = kBlockScans * board::kScanUs / 1000;
constexpr uint8_t kOrders = 4;
constexpr int32_t kClockMhz = 5000;  // no mains is so far off, while it still has its voltage

}  // namespace

void Pdu::begin() {
  records.load(now_ms_);
  link.begin(now_ms_, records);
  metering.begin(sampler);
  KeptOutlet kept[kOutlets];
  for (uint8_t k = 0; k < kOutlets; ++k) {
    kept[k] = records.memory.outlet(static_cast<uint8_t>(k + 1));
  }
  decision.start(kept, records.settings, now_ms_);
  begin_event(EventCode::kBoot);
  put_small(reset_cause());
  put(records.counters.starts());
  end_event();
}

bool Pdu::pass() {
  const bool steps = due();
  Seen seen;
  if (steps) {
    sampler.see(seen);
  }
  link.poll(records);
  if (link.take_applied()) {
    begin_event(EventCode::kSettingsApplied);
    put(static_cast<int32_t>(records.settings.version));
    end_event();
  }
  const OutletMask emergency = link.take_emergency();
  if (emergency != 0) {
    const BetweenScans held;
    sampler.open_outlets(emergency);
    drive_relays(sampler.drives);
  }
  if (steps) {
    step(seen);
  }
  link.pump(now_ms_, records);
  records.step(now_ms_);
  return steps;
}

void Pdu::step(const Seen& seen) {
  // Blocks that were missed while something took too long are made up for in time, not in steps.
  const uint8_t passed = static_cast<uint8_t>(sampler.blocks - blocks_);
  blocks_ = static_cast<uint8_t>(blocks_ + passed);
  now_ms_ += static_cast<uint16_t>(passed * kBlockMs);
  const uint8_t ended = metering.take(sampler, seen, inputs);
  Command orders[kOrders];
  uint8_t count = 0;
  while (count < kOrders && link.take_command(orders[count])) {
    ++count;
  }
  decision.step(inputs, records.settings, orders, count, now_ms_);
  {
    const BetweenScans held;
    if (sampler.permit(decision.drives(), decision.standing())) {
      drive_relays(sampler.drives);
    }
  }
  metering.limit(sampler, decision.standing(), sampler.drives.changeover);
  if (ended != 0) {
    const int32_t power_mw = metering.second.power_mw[ended - 1];
    records.counters.add(ended, power_mw, kElapsedMaxMs);
    records.counters.add(ended, power_mw, 1000 - kElapsedMaxMs);
  }
  second_blocks_ = static_cast<uint8_t>(second_blocks_ + passed);
  second_began_ = second_blocks_ >= kSecondBlocks;
  if (second_began_) {
    second_blocks_ = static_cast<uint8_t>(second_blocks_ - kSecondBlocks);
    if (board::kDiagnostics) {
      test();
    }
  }
}

// Tells each self test that fails, once.
void Pdu::test() {
  uint8_t failing = failing_tests();
  if (metering.reference_fault) {
    failing = static_cast<uint8_t>(failing | 1U << kReferenceTest);
  }
  if (clock_fails()) {
    failing = static_cast<uint8_t>(failing | 1U << kClockTest);
  }
  for (uint8_t test = 0; test <= kStackTest; ++test) {
    if ((failing & ~failing_ & 1U << test) != 0) {
      begin_event(EventCode::kSelfTestFailed);
      put_small(test);
      end_event();
    }
  }
  failing_ = static_cast<uint8_t>(failing_ | failing);
}

// The clock is judged by the mains, as the mains is by the clock: one that both sources contradict is wrong.
bool Pdu::clock_fails() const {
  for (const SourceInput& source : inputs.source) {
    const int32_t off = source.frequency_mhz - board::kNominalMhz;
    if (source.frequency_mhz == kUnknown || (off < kClockMhz && off > -kClockMhz)) {
      return false;
    }
  }
  return true;
}

}  // namespace loadcenter
