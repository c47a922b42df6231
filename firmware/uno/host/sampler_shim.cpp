// Sampler and metering for ctypes: conversions in, what they did and what the decision layer would see out.
#include <cstdint>
#include <cstring>

#include "../core/metering.hpp"
#include "../core/scanning.hpp"

namespace loadcenter {

Calibration calibration;  // of the bench that is being worked on

}  // namespace loadcenter

using namespace loadcenter;

namespace {

struct Bench {
  Sampler sampler;
  Metering metering;
  Calibration calibration;
  Standing standing;
  Seen seen;
  Inputs inputs;
};

}  // namespace

extern "C" {

int bench_outlets() { return kOutlets; }
int bench_slots() { return kSlots; }

// `gains`: of MAIN, BACKUP and the outlets, in 32768ths; `delays_us`: of the outlets; both may
// be null.
Bench* bench_new(const int16_t* gains, const int8_t* delays_us) {
  Bench* bench = new Bench();
  std::memset(static_cast<void*>(bench), 0, sizeof *bench);
  if (gains != nullptr) {
    std::memcpy(bench->calibration.source_gain, gains, sizeof bench->calibration.source_gain);
    std::memcpy(bench->calibration.outlet_gain, gains + kSources, sizeof bench->calibration.outlet_gain);
  }
  for (int k = 0; delays_us != nullptr && k < kOutlets; ++k) {
    bench->calibration.outlet_delay[k] = delays_us[k];
  }
  bench->standing.at_once_permille = 650;
  bench->sampler.begin();
  calibration = bench->calibration;
  bench->metering.begin(bench->sampler);
  bench->metering.limit(bench->sampler, bench->standing, Source::kMain);
  return bench;
}

void bench_free(Bench* bench) { delete bench; }

// The channel that a slot of the scan to come converts: an outlet from 0, then the sources, 255 the band gap.
int bench_channel(const Bench* bench, int slot) { return bench->sampler.channel(static_cast<uint8_t>(slot)); }

// Gives the conversions of one scan. Returns the relays that were moved (Act), and 8 behind the end of a
// block.
int bench_scan(Bench* bench, const uint16_t* conversions, int live) {
  const uint8_t blocks = bench->sampler.blocks;
  uint8_t moved = kActNone;
  for (uint8_t slot = 0; slot < kSlots; ++slot) {
    moved = static_cast<uint8_t>(moved | bench->sampler.take(slot, conversions[slot]));
  }
  bench->sampler.end_scan(live != 0);
  if (bench->sampler.blocks == blocks) {
    return moved;
  }
  bench->sampler.see(bench->seen);
  calibration = bench->calibration;
  bench->metering.take(bench->sampler, bench->seen, bench->inputs);
  bench->metering.limit(bench->sampler, bench->standing, bench->sampler.drives.changeover);
  return moved | 8;
}

// drives: changeover, isolator, outlets; standing: leave, shed, at once in permille, masked, quiet.
void bench_permit(Bench* bench, const int32_t* drives, const int32_t* standing) {
  bench->standing.leave = standing[0] != 0;
  bench->standing.shed = static_cast<OutletMask>(standing[1]);
  bench->standing.at_once_permille = static_cast<uint16_t>(standing[2]);
  bench->standing.masked = static_cast<OutletMask>(standing[3]);
  bench->standing.quiet = static_cast<OutletMask>(standing[4]);
  const Drives wanted = {static_cast<Source>(drives[0]), drives[1] != 0, static_cast<OutletMask>(drives[2])};
  bench->sampler.permit(wanted, bench->standing);
  bench->metering.limit(bench->sampler, bench->standing, bench->sampler.drives.changeover);
}

void bench_drives(const Bench* bench, int32_t* drives) {
  drives[0] = index(bench->sampler.drives.changeover);
  drives[1] = bench->sampler.drives.isolator_closed;
  drives[2] = bench->sampler.drives.outlets;
}

// The values of a source: RMS in mV, half-cycle means low and high, frequency in mHz, lost, detection in us,
// and the RMS of the last whole second.
void bench_source(const Bench* bench, int source, int32_t* values) {
  const SourceInput& input = bench->inputs.source[source];
  values[0] = input.voltage_mv;
  values[1] = input.half_low_mv;
  values[2] = input.half_high_mv;
  values[3] = input.frequency_mhz;
  values[4] = input.amplitude_lost;
  values[5] = static_cast<int32_t>(input.detection_us);
  values[6] = bench->metering.second.voltage_mv[source];
}

// The values of an outlet, from 0: RMS in mA, mW, peak in mA when it tripped; mA and mW of the last whole
// second.
void bench_outlet(const Bench* bench, int outlet, int32_t* values) {
  values[0] = bench->inputs.current_ma[outlet];
  values[1] = bench->inputs.power_mw[outlet];
  values[2] = bench->inputs.acted.peak_ma[outlet];
  values[3] = bench->metering.second.current_ma[outlet];
  values[4] = bench->metering.second.power_mw[outlet];
}

// What else the last block told: swung, opened, tripped, masked, live, phase in mdeg, sensor faults,
// reference in 64ths.
void bench_block(const Bench* bench, int32_t* values) {
  const Inputs& inputs = bench->inputs;
  values[0] = inputs.acted.swung;
  values[1] = inputs.acted.opened;
  values[2] = inputs.acted.tripped;
  values[3] = inputs.acted.masked;
  values[4] = inputs.live;
  values[5] = inputs.phase_mdeg;
  values[6] = inputs.sensor_fault;
  values[7] = bench->metering.reference;
}

}  // extern "C"
