// Prints board.h as JSON, for whoever wires this board up: the emulator, the documentation, a person.
#include <cstdio>

#include "../core/sampler.hpp"
#include "../core/types.hpp"

namespace {

using loadcenter::board::Pin;

void print(const char* name, Pin pin) {
  std::printf("  \"%s\": {\"port\": \"%c\", \"bit\": %d, \"arduino\": %d},\n", name, pin.port, pin.bit,
              pin.arduino);
}

void print(const char* name, long value) { std::printf("  \"%s\": %ld,\n", name, value); }

void print_flag(const char* name, bool value) {
  std::printf("  \"%s\": %s,\n", name, value ? "true" : "false");
}

Pin outlet_pin(int outlet) {
  Pin pin = loadcenter::board::kFirstOutlet;
  pin.bit = static_cast<uint8_t>(pin.bit + outlet);
  pin.arduino = static_cast<uint8_t>(pin.arduino + outlet);
  return pin;
}

}  // namespace

int main() {
  using namespace loadcenter;
  std::puts("{");
  print("outlets", kOutlets);
  print_flag("source_pair", board::kSourcePair);
  print("dead_time_ms", board::kDeadTimeMs);
  for (int outlet = 0; outlet < kOutlets; ++outlet) {
    char name[16];
    std::snprintf(name, sizeof name, "outlet_%d", outlet + 1);
    print(name, outlet_pin(outlet));
  }
  print(board::kSourcePair ? "main_relay" : "changeover", board::kChangeover);
  if (board::kSourcePair) {
    print("backup_relay", board::kBackupRelay);
  }
  print("isolator", board::kIsolator);
  print("live", board::kLive);
  print_flag("active_high", board::kActiveHigh);
  print_flag("live_active_low", board::kLiveActiveLow);
  print("normally_closed_outlets", board::kNormallyClosedOutlets);
  print("first_current_channel", 0);
  print("main_channel", board::kSourceChannel[0]);
  print("backup_channel", board::kSourceChannel[1]);
  print("turns", board::kTurns);
  print("zero_counts", board::kZeroCounts);
  print("microamps_per_count", board::kMilliampsPerCountX1000);
  print("nominal_peak_counts", board::kNominalPeakCounts);
  print("nominal_mv", board::kNominalMv);
  print("nominal_mhz", board::kNominalMhz);
  print("outlet_rating_ma", board::kOutletRatingMa);
  print("changeover_rating_ma", board::kChangeoverRatingMa);
  print("instantaneous_peak_ma", board::kInstantaneousPeakMa);
  print("instantaneous_two_point_ma", board::kInstantaneousTwoPointMa);
  print("clipped_counts", board::kClippedCounts);
  print("block_scans", kBlockScans);
  std::printf("  \"scan_us\": %d\n}\n", board::kScanUs);
}
