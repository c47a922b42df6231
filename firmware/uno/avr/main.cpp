// The firmware of the board: start, and one pass after another, asleep between them.
#include <avr/interrupt.h>
#include <avr/io.h>

#include "../core/pdu.hpp"
#include "../core/ports.hpp"
#include "coils.hpp"
#include "heat.hpp"
#include "joined.hpp"
#include "machine.hpp"
#include "scan.hpp"

namespace loadcenter {

Pdu pdu;
const Calibration calibration LOADCENTER_FLASH = {
    {LOADCENTER_SOURCE_GAINS}, {LOADCENTER_OUTLET_GAINS}, {LOADCENTER_OUTLET_DELAYS_US}};

namespace {

constexpr uint8_t kLeastFree = 32;   // bytes between variables and stack
constexpr uint8_t kPassScans = 7;    // 2.8 ms: 16 bytes of the line
constexpr uint8_t kMostScans = 100;  // from one step to the next: what took longer was no whole pass
constexpr uint32_t kBlockCycles = static_cast<uint32_t>(kBlockScans) * board::kScanCycles;

uint32_t fed_scans_;
bool flash_holds_ = true;

// Cycles since the last block ended.
uint32_t since_block() {
  const Critical critical;
  const uint16_t in_scan = TCNT1;
  return static_cast<uint32_t>(sampler.scans_in_block()) * board::kScanCycles + in_scan;
}

// A pass that is not whole, or scans that do not come at their time, let the watchdog run out.
void feed() {
  const uint32_t scans = scan_count();
  const uint32_t passed = scans - fed_scans_;
  fed_scans_ = scans;
  if (passed > 0 && passed <= kMostScans) {
    feed_watchdog();
  }
}

// Sleeps until a block has ended, or kPassScans scans have. Looked at behind each interrupt: one byte of the
// count, which needs no stretch without them.
void await_scans() {
  const volatile uint8_t& scans = reinterpret_cast<const volatile uint8_t&>(sampler.scans);
  const uint8_t first = scans;
  do {
    sleep_until_interrupt();
  } while (!pdu.due() && static_cast<uint8_t>(scans - first) < kPassScans);
}

// What a step has taken, of which the block ended `begun` cycles before it.
void note_step(uint32_t begun) {
  const uint32_t ended = since_block();
  cpu_load.late(static_cast<uint16_t>(begun / (F_CPU / 1000000)));
  cpu_load.step(ended < begun ? ended + kBlockCycles - begun : ended - begun);
  flash_holds_ = flash_holds() && flash_holds_;
  if (pdu.second_began()) {
    cpu_load.end_second();
  }
}

void pass() {
  uint32_t begun = 0;
  if (board::kDiagnostics && pdu.due()) {
    begun = since_block();
  }
  if (!pdu.pass()) {
    return;
  }
  if (board::kDiagnostics) {
    note_step(begun);
  }
  if (pdu.second_began()) {
    save_heat(pdu.decision);
  }
  feed();
}

}  // namespace

void drive_relays(const Drives& drives) {
  relays.drive(drives);
  write_coils(relays.coils);
}

uint8_t failing_tests() {
  uint8_t failing = 0;
  if (!ram_works()) {
    failing = 1U << kRamTest;
  }
  if (!flash_holds_) {
    failing = static_cast<uint8_t>(failing | 1U << kFlashTest);
  }
  if (free_bytes() < kLeastFree) {
    failing = static_cast<uint8_t>(failing | 1U << kStackTest);
  }
  return failing;
}

uint32_t clock_ms() { return pdu.now_ms(); }

uint32_t scan_count() {
  const Critical critical;
  return sampler.scans;
}

}  // namespace loadcenter

int main() {
  using namespace loadcenter;
  begin_coils();
  draw_noise();
  begin_uart();
  sampler.begin();
  pdu.begin();
  load_heat(pdu.decision);
  begin_scans();
  begin_watchdog();
  sei();
  for (;;) {
    pass();
    await_scans();
  }
}
