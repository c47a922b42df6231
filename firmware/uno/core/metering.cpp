#include "metering.hpp"

#include "critical.hpp"
#include "roots.hpp"

namespace loadcenter {
namespace {

constexpr uint8_t kBlockSamples2 = 2 * kBlockScans / board::kTurns;  // samples of a current in two blocks
constexpr uint16_t kWindowSamples = kWindowBlocks * kBlockSamples2 / 2;
constexpr double kRootOfWindow = kWindowBlocks == 2 ? 7.0710678 : 11.1803399;  // of its scans
constexpr double kRootOfTurns = board::kTurns == 1 ? 1.0 : 1.4142136;

// A root of the sum over a window, in fours, for the root of the mean.
constexpr uint32_t kSourceWindow = fraction(4 / kRootOfWindow);
constexpr uint32_t kOutletWindow = fraction(4 / kRootOfWindow * kRootOfTurns);
constexpr uint32_t kHalfScale = fraction(1.1107207 / 16 / kHalfScans);  // mean of magnitudes to RMS of a sine
constexpr uint32_t kWattScale = fraction(1048576.0 / 1000 / 64 / kWindowSamples);

constexpr uint32_t kNominalPeakMv = static_cast<uint32_t>(board::kNominalMv * 1.4142136);
constexpr uint32_t kSourceUnit =
    static_cast<uint32_t>(kNominalPeakMv * 1048576.0 / board::kNominalPeakCounts + 0.5);
constexpr uint32_t kOutletUnit = static_cast<uint32_t>(board::kMilliampsPerCountX1000 * 1048.576 + 0.5);
constexpr uint16_t kNominalReference =
    static_cast<uint16_t>(64UL * 1024 * board::kBandGapMv / board::kReferenceMv);
constexpr uint16_t kReferenceLow =
    kNominalReference * 8UL / 10;  // 1.0 to 1.2 V at 4.5 to 5.5 V, and some more
constexpr uint16_t kReferenceHigh = kNominalReference * 125UL / 100;
constexpr uint8_t kReferenceConversions = 16;  // 0.8 s
constexpr int16_t kReferenceStep = 160;        // beyond this it has moved; within, it is noise, and averaged

// A straight line between two samples of a sine is lower than the sine: by 2 sin^2(w/2) of p(1-p), w the
// angle between them, p the place between them.
constexpr uint32_t kLineLoss =
    static_cast<uint32_t>((board::kTurns == 1 ? 1 : 4) * (kWindowBlocks == 2 ? 258 : 372));

constexpr uint16_t kFirstNoise = 150;         // 0.6 square counts, until it is learned
constexpr uint16_t kLargestNoise = 64 * 256;  // 8 counts: what is above it is a current
constexpr uint8_t kNoiseSeconds = 32;         // over which noise is averaged
constexpr uint8_t kLeastBlocks = 4;           // to learn from
constexpr uint8_t kLeastSquare = 10;          // 10 mA
constexpr int16_t kDrift = 3 * 256;           // 0.15 A: largest mean that is taken for drift of the sensor
constexpr int16_t kOffset = 60 * 256;         // 3 A: largest error of the zero of a sensor that works
constexpr uint8_t kBlocksApart = kSecondBlocks / (kOutlets + kSources);

// Returns `value` with a gain of so many 32768ths added.
uint32_t gained(uint32_t value, int16_t gain) {
  return value + static_cast<uint32_t>(static_cast<int32_t>(value >> 15) * gain);
}

uint32_t sum_of(const BlockSquares (&squares)[kWindowBlocks]) {
  uint32_t sum = 0;
  for (const BlockSquares square : squares) {
    sum += square;
  }
  return sum;
}

// Returns the root of the mean over a window; `squares` is their sum.
int32_t window_rms(uint32_t squares, uint32_t unit, uint32_t window) {
  constexpr uint32_t kLargest = UINT32_MAX >> 4;
  return units_of((squares > kLargest ? kLargest : squares) << 4, part(unit, window));
}

int32_t milliwatts(int32_t power, uint32_t watts) {
  const int32_t magnitude =
      static_cast<int32_t>(part(static_cast<uint32_t>(power < 0 ? -power : power) << 4, watts));
  return power < 0 ? -magnitude : magnitude;
}

// Returns the span of a sine with so much of the peak.
uint16_t span_at(uint16_t peak, uint16_t permille) {
  const uint32_t amplitude = static_cast<uint32_t>(peak) * permille / 1000;
  return static_cast<uint16_t>(amplitude * amplitude * kSpanPermille / 1000);
}

// Returns the mean square about a zero that is `rest` 256ths of a count off.
uint32_t about_rest(const Moments& moments, int16_t rest) {
  const int32_t away = (moments.mean >> 1) * static_cast<int32_t>(rest) - rest * rest / 4;
  return moments.square - static_cast<uint32_t>(away / 64);
}

// Returns a mean as whole counts, rounded.
int16_t whole(int16_t mean) { return static_cast<int16_t>((mean + 128) >> 8); }

void move_zero(int16_t& zero, int16_t by) {
  reckon(by);
  const Critical critical;  // both bytes at once
  zero = static_cast<int16_t>(zero + by);
}

}  // namespace

void Metering::begin(Sampler& sampler) {
  for (uint8_t k = 0; k < kOutlets; ++k) {
    outlet_[k].noise = kFirstNoise;
    outlet_[k].second.ends = static_cast<uint8_t>(kSecondBlocks + k * kBlocksApart);
    outlet_[k].unit =
        board::kCalibrated ? gained(kOutletUnit, calibrated(calibration.outlet_gain[k])) : kOutletUnit;
    constexpr int8_t kLeadOfUs = kLeadScale / board::kTurns / board::kScanUs;
    if (board::kCalibrated) {
      sampler.outlet[k].lead =
          static_cast<uint16_t>(sampler.outlet[k].lead + calibrated(calibration.outlet_delay[k]) * kLeadOfUs);
    }
  }
  for (uint8_t s = 0; s < kSources; ++s) {
    source_[s].second.ends = static_cast<uint8_t>(kSecondBlocks + (kOutlets + s) * kBlocksApart);
    source_[s].frequency.lose();
  }
  set_scales(sampler);
}

uint8_t Metering::take(Sampler& sampler, const Seen& seen, Inputs& inputs) {
  if (scaled_for_ != sampler.drives.changeover) {
    set_scales(sampler);
  }
  window_blocks_ = window_blocks_ == kWindowBlocks ? 1 : static_cast<uint8_t>(window_blocks_ + 1);
  uint8_t ended = 0;
  for (uint8_t k = 0; k < kOutlets; ++k) {
    if (take_outlet(k, sampler, inputs)) {
      ended = static_cast<uint8_t>(k + 1);
    }
    inputs.acted.peak_ma[k] =
        static_cast<int32_t>(part(outlet_[k].unit, static_cast<uint32_t>(sampler.outlet[k].peak) << 12));
  }
  for (uint8_t s = 0; s < kSources; ++s) {
    fill(s, sampler.source[s], seen, inputs.source[s]);
    take_source(s, sampler);
  }
  inputs.acted.swung = seen.deeds.swung;
  inputs.acted.opened = seen.deeds.opened;
  inputs.acted.tripped = seen.deeds.tripped;
  inputs.acted.masked = seen.deeds.masked;
  inputs.live = seen.live;
#if LOADCENTER_DIAGNOSTICS
  inputs.phase_mdeg = phase_mdeg();
#endif
  inputs.sensor_fault = fault_;
  take_reference(sampler);
  return ended;
}

// ---- the last whole cycles

int32_t Metering::current_of(const OutletMeter& meter, const OutletChannel& channel) const {
  const uint32_t squares = sum_of(channel.whole_squares);
  const uint32_t noise = static_cast<uint32_t>(meter.noise) * kWindowSamples >> 8;
  const uint32_t left = squares < noise + (noise >> 1) ? 0 : squares - noise;
  const int32_t measured = window_rms(left, meter.unit, kOutletWindow);
  const bool clips = channel.whole_clipped[0] + channel.whole_clipped[1] >= 3;
  return clips && measured < board::kClippedMa ? board::kClippedMa : measured;
}

void Metering::fill(uint8_t s, const SourceChannel& channel, const Seen& seen, SourceInput& input) {
  SourceMeter& meter = source_[s];
  const int32_t rms = window_rms(sum_of(channel.whole_squares), meter.unit, kSourceWindow);
  input.voltage_mv = rms;
  input.half_low_mv = rms;
  input.half_high_mv = rms;
  if (seen.half_low[s] <= seen.half_high[s]) {  // half a cycle has ended
    const uint32_t low = part(static_cast<uint32_t>(seen.half_low[s]) << 16, meter.unit);
    const uint32_t high = part(static_cast<uint32_t>(seen.half_high[s]) << 16, meter.unit);
    input.half_low_mv = static_cast<int32_t>(part(low, kHalfScale));
    input.half_high_mv = static_cast<int32_t>(part(high, kHalfScale));
  }
  meter.frequency.take(seen.crossing[s]);
  if (rms < board::kNominalMv / 10) {
    meter.frequency.lose();
  }
  input.frequency_mhz = meter.frequency.mhz();
  input.amplitude_lost = seen.lost_after[s] != 0;
  input.detection_us = input.amplitude_lost ? (seen.lost_after[s] - 1U) * board::kScanUs : 0;
}

#if LOADCENTER_DIAGNOSTICS
int32_t Metering::phase_mdeg() const {
  const Frequency& main = source_[0].frequency;
  const Frequency& backup = source_[1].frequency;
  const int32_t period = static_cast<int32_t>(main.period());
  if (period == 0 || backup.period() == 0) {
    return kUnknown;
  }
  // BACKUP is converted one slot after MAIN. What crosses earlier is ahead.
  constexpr uint32_t kSlot = 256UL * board::kSlotCycles / board::kScanCycles;
  int32_t ahead = time_between(backup.at() + kSlot, main.at()) % period;
  if (ahead > period / 2) {
    ahead -= period;
  } else if (ahead < -period / 2) {
    ahead += period;
  }
  return ahead * 11250 / period * 32;
}
#endif

// ---- seconds

bool Metering::take_outlet(uint8_t k, Sampler& sampler, Inputs& inputs) {
  OutletMeter& meter = outlet_[k];
  OutletChannel& channel = sampler.outlet[k];
  const bool closed = (sampler.drives.outlets & channel.bit) != 0;
  if (closed && (closed_ & channel.bit) == 0) {
    // The last chance to learn before its current flows.
    if (meter.learned == 0 && meter.second.blocks >= kLeastBlocks) {
      learn(meter, channel,
            meter.second.moments(static_cast<uint16_t>(meter.second.blocks * kBlockSamples2 / 2)));
    }
    closed_ = static_cast<OutletMask>(closed_ | channel.bit);
  }
  const int32_t current = current_of(meter, channel);
  const int32_t power = channel.whole_power / kPowerScale;
  inputs.current_ma[k] = current;
  meter.window_power += power;
  meter.second_power += power;
  const bool whole_second = meter.second.add(channel.whole_sum, channel.whole_squares[sampler.newest()]);
  if (window_blocks_ == kWindowBlocks) {
    inputs.power_mw[k] = current == 0 ? 0 : milliwatts(meter.window_power, meter.watts);
    meter.window_power = 0;
  }
  if (!whole_second) {
    return false;
  }
  end_outlet(k, channel);
  closed_before_ = static_cast<OutletMask>(closed_ & channel.bit ? closed_before_ | channel.bit
                                                                 : closed_before_ & ~channel.bit);
  if (!closed) {
    closed_ = static_cast<OutletMask>(closed_ & ~channel.bit);
  }
  return true;
}

void Metering::take_source(uint8_t s, Sampler& sampler) {
  SourceMeter& meter = source_[s];
  SourceChannel& channel = sampler.source[s];
  if (meter.second.add(channel.whole_sum, channel.whole_squares[sampler.newest()])) {
    end_source(s, channel);
  }
}

void Metering::end_outlet(uint8_t k, OutletChannel& channel) {
  OutletMeter& meter = outlet_[k];
  const Moments moments =
      meter.second.moments(static_cast<uint16_t>(meter.second.blocks * kBlockSamples2 / 2));
  judge(channel, moments);
  const bool drifts = moments.mean < kDrift && moments.mean > -kDrift;
  const uint32_t square = drifts ? moments.variance : about_rest(moments, meter.rest);
  // The square of a noise of 2500 samples is uncertain by 3 %: what lies within 12 % is nothing.
  const bool nothing = square < static_cast<uint32_t>(meter.noise) + (meter.noise >> 3) + kLeastSquare;
  second.current_ma[k] = nothing ? 0 : units_of(square - meter.noise, meter.unit);
  second.power_mw[k] =
      nothing ? 0 : milliwatts(meter.second_power / meter.second.blocks * kWindowBlocks, meter.watts);
  if (((closed_ | closed_before_) & channel.bit) == 0) {
    learn(meter, channel, moments);
  } else if (drifts) {
    move_zero(channel.zero, whole(moments.mean));
  }
  meter.second.clear();
  meter.second_power = 0;
}

void Metering::end_source(uint8_t s, SourceChannel& channel) {
  SourceMeter& meter = source_[s];
  const Moments moments = meter.second.moments(static_cast<uint16_t>(meter.second.blocks * kBlockScans));
  second.voltage_mv[s] = units_of(moments.variance, meter.unit);
  // No mains has a mean: what there is belongs to the sensor.
  move_zero(channel.zero, whole(moments.mean));
  meter.second.clear();
}

// Learns noise and zero of a sensor from what it has said while nothing flowed.
void Metering::learn(OutletMeter& meter, OutletChannel& channel, const Moments& moments) {
  const uint32_t noise = moments.variance;
  if (moments.mean > kOffset || moments.mean < -kOffset || noise > kLargestNoise) {
    return;
  }
  const int16_t counts = whole(moments.mean);
  move_zero(channel.zero, counts);
  meter.rest = static_cast<int16_t>(moments.mean - counts * 256);
  if (meter.learned == 0) {
    meter.noise = static_cast<uint16_t>(noise);
  } else if (noise > 2U * meter.noise + 256) {
    return;  // a current through an open relay
  }
  if (meter.learned < kNoiseSeconds) {
    ++meter.learned;
  }
  meter.noise =
      static_cast<uint16_t>(meter.noise + static_cast<int16_t>(noise - meter.noise) / meter.learned);
}

// A sensor that says the same in every sample of a second is stuck: a working one has noise. One whose mean
// is far off is open or saturated.
void Metering::judge(const OutletChannel& channel, const Moments& moments) {
  const bool faulty = moments.variance == 0 || moments.mean > 2 * kOffset || moments.mean < -2 * kOffset;
  fault_ = static_cast<OutletMask>(faulty ? fault_ | channel.bit : fault_ & ~channel.bit);
}

// ---- the supply of the ADC

void Metering::take_reference(Sampler& sampler) {
  if (sampler.reference_count < kReferenceConversions) {
    return;
  }
  // The next conversion of it is some 100 scans away: no need to hold anything off.
  // The ADC rounds down: half a count is missing.
  const uint16_t measured = static_cast<uint16_t>(sampler.reference_sum * (64 / kReferenceConversions) + 32);
  sampler.reference_sum = 0;
  sampler.reference_count = 0;
  reference_fault = measured < kReferenceLow || measured > kReferenceHigh;
  if (reference_fault) {
    return;
  }
  const int16_t change = static_cast<int16_t>(measured - reference);
  const bool moved = change > kReferenceStep || change < -kReferenceStep;
  reference = moved ? measured : static_cast<uint16_t>(reference + change / 16);
  set_scales(sampler);
}

void Metering::set_scales(const Sampler& sampler) {
  scaled_for_ = sampler.drives.changeover;
  const uint32_t ratio =
      (static_cast<uint32_t>(kNominalReference) << 16) / (reference == 0 ? kNominalReference : reference);
  for (uint8_t s = 0; s < kSources; ++s) {
    SourceMeter& meter = source_[s];
    const uint32_t unit =
        board::kCalibrated ? gained(kSourceUnit, calibrated(calibration.source_gain[s])) : kSourceUnit;
    meter.unit = part(unit, ratio << 15) << 1;
    meter.nominal_peak = static_cast<uint16_t>((kNominalPeakMv << 12) / (meter.unit >> 8));
    meter.limit_permille = 0;
  }
  for (uint8_t k = 0; k < kOutlets; ++k) {
    OutletMeter& meter = outlet_[k];
    const uint16_t slot = scaled_for_ == Source::kMain ? 0 : kSlotLead;
    const uint32_t lead = static_cast<uint32_t>(sampler.outlet[k].lead - slot);
    const uint32_t loss = (lead * (kLeadScale - lead) >> 8) * kLineLoss >> 16;  // in 32768ths
    const uint32_t watts = part(part(source_[index(scaled_for_)].unit, meter.unit) << 6, kWattScale);
    meter.watts = watts + part(watts, loss << 17);
  }
}

void Metering::limit(Sampler& sampler, const Standing& standing, Source active) {
  constexpr uint16_t kIdlePermille = 650;
  constexpr uint16_t kCollapsedPermille = 350;
  for (uint8_t s = 0; s < kSources; ++s) {
    SourceMeter& meter = source_[s];
    const uint16_t permille = s == index(active) ? standing.at_once_permille : kIdlePermille;
    if (permille == meter.limit_permille) {
      continue;
    }
    meter.limit_permille = permille;
    const uint16_t lost = span_at(meter.nominal_peak, permille);
    const uint16_t collapsed = span_at(meter.nominal_peak, kCollapsedPermille);
    reckon(lost);
    reckon(collapsed);
    const Critical critical;
    sampler.set_limits(static_cast<Source>(s), lost, collapsed);
  }
}

}  // namespace loadcenter
