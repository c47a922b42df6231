#include "metering.hpp"

#include "roots.hpp"

namespace loadcenter {
namespace {

constexpr uint16_t kBlockSamples2 = 2 * kBlockScans / board::kTurns;  // samples of a current in two blocks
constexpr uint16_t kWindowSamples = kWindowBlocks * kBlockSamples2 / 2;
constexpr uint16_t kSecondSamples = kSecondBlocks * kBlockSamples2 / 2;
constexpr uint16_t kSourceSamples = kSecondBlocks * kBlockScans;
constexpr double kRootOfWindow = kWindowBlocks == 2 ? 7.0710678 : 11.1803399;  // of its scans
constexpr double kRootOfTurns = board::kTurns == 1 ? 1.0 : 1.4142136;

// Square roots are taken of 64 times the square, for three more bits.
constexpr uint32_t kLargestSquares = UINT32_MAX >> 6;
constexpr double kMilliamps = board::kMilliampsPerCountX1000 / 1000.0;
constexpr uint32_t kCurrentScale =  // mA in a root over a window, in 65536ths
    static_cast<uint32_t>(kMilliamps * 65536 / 8 / kRootOfWindow * kRootOfTurns + 0.5);
constexpr uint32_t kMilliampUnit = static_cast<uint32_t>(kMilliamps * 262144 + 0.5);  // for units_of
constexpr uint32_t kVoltageScale =
    fraction(2048.0 / 1000 / 8 / kRootOfWindow);  // of uV: mV in a root, in 2048ths
constexpr uint32_t kHalfScale =
    fraction(1.1107207 * 256 / 1000 / kHalfScans);  // of uV: mV in a sum, in 256ths
constexpr uint32_t kWattScale = fraction(kMilliamps * 0.268435456 / 1.024 / kWindowSamples);
constexpr uint8_t kWindowsInSecond = kSecondBlocks / kWindowBlocks;

constexpr uint32_t kNominalMicrovolts =
    static_cast<uint32_t>(board::kNominalMv * 1414.2136 / board::kNominalPeakCounts);
constexpr uint32_t kNominalPeakMv = static_cast<uint32_t>(board::kNominalMv * 1.4142136);
constexpr uint16_t kNominalReference =
    static_cast<uint16_t>(64UL * 1024 * board::kBandGapMv / board::kReferenceMv);
constexpr uint16_t kReferenceLow =
    kNominalReference * 8UL / 10;  // 1.0 to 1.2 V at 4.5 to 5.5 V, and some more
constexpr uint16_t kReferenceHigh = kNominalReference * 125UL / 100;
constexpr uint8_t kReferenceConversions = 16;  // 0.8 s
constexpr uint16_t kReferenceStep = 160;       // beyond this it has moved; within, it is noise, and averaged

// A straight line between two samples of a sine is lower than the sine: by 2 sin^2(w/2) of w(1-w), w the
// angle between.
constexpr uint32_t kLineLoss =
    static_cast<uint32_t>((board::kTurns == 1 ? 1 : 4) * (kWindowBlocks == 2 ? 258 : 372));

constexpr uint16_t kFirstNoise = 600;      // 0.6 square counts, until it is learned
constexpr uint16_t kLargestNoise = 60000;  // 7.7 counts: what is above it is a current
constexpr uint8_t kNoiseSeconds = 32;      // over which noise is averaged
constexpr uint32_t kLeastSquare = 160;     // 10 mA
constexpr int16_t kDriftCounts = 3;        // 0.15 A: largest mean that is taken for drift of the sensor
constexpr int16_t kOffsetCounts = 60;      // 3 A: largest error of the zero of a sensor that works
constexpr uint8_t kLeastBlocks = 4;        // to learn from
constexpr uint8_t kBlocksApart = kSecondBlocks / (kOutlets + kSources);

uint32_t gained(uint32_t value, int16_t hundredths) {
  return static_cast<uint32_t>(static_cast<int32_t>(value) +
                               static_cast<int32_t>(value / 10000) * hundredths +
                               static_cast<int32_t>(value % 10000) * hundredths / 10000);
}

uint32_t sum_of(const uint32_t (&squares)[kWindowBlocks]) {
  uint32_t sum = 0;
  for (const uint32_t square : squares) {
    sum += square;
  }
  return sum;
}

// Returns a sum of squares over its number, in 4096ths.
uint32_t mean_square(uint32_t squares, uint16_t samples) {
  return (squares / samples << 12) + (squares % samples << 12) / samples;
}

// Returns the square of a mean, in 4096ths.
uint32_t square_mean(int32_t sum, uint16_t samples) {
  const uint32_t mean = (static_cast<uint32_t>(sum < 0 ? -sum : sum) * 64 + samples / 2) / samples;
  return mean * mean;
}

// Returns the root of a mean square in the unit of which `unit` are 2^18 in a count, rounded.
int32_t units_of(uint32_t mean_square, uint32_t unit) {
  return static_cast<int32_t>((part(root_q16(mean_square) << 6, unit) + 128) >> 8);
}

uint32_t difference_or_0(uint32_t a, uint32_t b) { return a > b ? a - b : 0; }

}  // namespace

void Metering::begin(const Calibration& calibration, Sampler& sampler) {
  calibration_ = &calibration;
  for (uint8_t k = 0; k < kOutlets; ++k) {
    noise_[k] = kFirstNoise;
    gain_[k] = static_cast<uint16_t>(gained(32768, calibration.outlet_gain[k]));
    const int16_t delay = static_cast<int16_t>(
        calibration.outlet_delay[k] * static_cast<int32_t>(kLeadScale / board::kTurns) / board::kScanUs);
    sampler.outlet[k].lead = static_cast<uint16_t>(sampler.outlet[k].lead + delay);
  }
  for (Frequency& frequency : frequency_) {
    frequency.lose();
  }
  set_scales(sampler);
}

uint8_t Metering::take(Sampler& sampler, const Seen& seen, Inputs& inputs) {
  if (scaled_for_ != sampler.drives.changeover) {
    set_scales(sampler);
  }
  for (uint8_t s = 0; s < kSources; ++s) {
    fill(s, sampler.source[s], seen, inputs.source[s]);
  }
  for (uint8_t k = 0; k < kOutlets; ++k) {
    inputs.current_ma[k] = current_of(k, sampler.outlet[k]);
  }
  fill_deeds(seen, inputs.acted);
  inputs.live = seen.live;
  inputs.phase_mdeg = phase_mdeg();
  inputs.sensor_fault = fault_;
  collect(sampler, inputs);
  take_reference(sampler);
  uint8_t ended = 0;
  for (uint8_t channel = 0; channel < kOutlets + kSources; ++channel) {
    if (end_second(sampler, channel) && channel < kOutlets) {
      ended = static_cast<uint8_t>(channel + 1);
    }
  }
  return ended;
}

// ---- the last whole cycles

int32_t Metering::current_of(uint8_t k, const OutletChannel& channel) const {
  uint32_t squares = sum_of(channel.whole_squares);
  const uint32_t noise = static_cast<uint32_t>(noise_[k]) * kWindowSamples >> 10;
  squares = squares < noise + (noise >> 1) ? 0 : squares - noise;
  const uint32_t root = root32((squares > kLargestSquares ? kLargestSquares : squares) << 6);
  const int32_t measured = static_cast<int32_t>((root * kCurrentScale >> 16) * gain_[k] >> 15);
  const bool clips = channel.whole_clipped[0] + channel.whole_clipped[1] >= 3;
  return clips && measured < board::kClippedMa ? board::kClippedMa : measured;
}

void Metering::fill(uint8_t s, const SourceChannel& channel, const Seen& seen, SourceInput& input) {
  const uint32_t squares = sum_of(channel.whole_squares);
  const uint32_t root = root32((squares > kLargestSquares ? kLargestSquares : squares) << 6);
  input.voltage_mv = static_cast<int32_t>(root * part(microvolts_[s], kVoltageScale) >> 11);
  const uint32_t half = part(microvolts_[s], kHalfScale);
  const bool seen_half = seen.half_low[s] <= seen.half_high[s];
  input.half_low_mv = seen_half ? static_cast<int32_t>(seen.half_low[s] * half >> 8) : input.voltage_mv;
  input.half_high_mv = seen_half ? static_cast<int32_t>(seen.half_high[s] * half >> 8) : input.voltage_mv;
  frequency_[s].take(seen.crossing[s]);
  if (input.voltage_mv < board::kNominalMv / 10) {
    frequency_[s].lose();
  }
  input.frequency_mhz = frequency_[s].mhz();
  input.amplitude_lost = seen.lost_after[s] != 0;
  input.detection_us =
      seen.lost_after[s] == 0 ? 0 : static_cast<uint32_t>(seen.lost_after[s] - 1) * board::kScanUs;
}

void Metering::fill_deeds(const Seen& seen, Acted& acted) const {
  acted.swung = seen.deeds.swung;
  acted.opened = seen.deeds.opened;
  acted.tripped = seen.deeds.tripped;
  acted.masked = seen.deeds.masked;
  for (uint8_t k = 0; k < kOutlets; ++k) {
    acted.peak_ma[k] =
        static_cast<int32_t>(static_cast<uint32_t>(seen.peak[k]) * board::kMilliampsPerCountX1000 / 1000);
  }
}

int32_t Metering::phase_mdeg() const {
  const uint32_t period = frequency_[0].period();
  if (period == 0 || frequency_[1].period() == 0) {
    return kUnknown;
  }
  // BACKUP is converted one slot after MAIN. What crosses earlier is ahead.
  constexpr int32_t kSlot = 256L * board::kSlotCycles / board::kScanCycles;
  int32_t ahead = time_between(frequency_[1].at() + static_cast<uint32_t>(kSlot), frequency_[0].at()) %
                  static_cast<int32_t>(period);
  const int32_t half = static_cast<int32_t>(period / 2);
  if (ahead > half) {
    ahead -= static_cast<int32_t>(period);
  } else if (ahead < -half) {
    ahead += static_cast<int32_t>(period);
  }
  return ahead * 11250 / static_cast<int32_t>(period) * 32;
}

int32_t Metering::milliwatts(uint8_t k, int32_t power, uint8_t windows) const {
  const uint32_t magnitude = static_cast<uint32_t>(power < 0 ? -power : power) / windows;
  const int32_t milliwatts = static_cast<int32_t>(part(magnitude << 4, watts_[k]));
  return power < 0 ? -milliwatts : milliwatts;
}

// ---- seconds

void Metering::collect(Sampler& sampler, Inputs& inputs) {
  ++window_age_;
  const bool ends = window_age_ >= kWindowBlocks;
  for (uint8_t k = 0; k < kOutlets; ++k) {
    OutletChannel& channel = sampler.outlet[k];
    if ((sampler.drives.outlets & channel.bit) != 0 && (closed_ & channel.bit) == 0) {
      learn(k, channel);  // the last chance before its current flows
      closed_ = static_cast<OutletMask>(closed_ | channel.bit);
    }
    const int32_t power = channel.whole_power / kPowerScale;
    window_power_[k] += power;
    second_power_[k] += power;
    outlet_[k].sum += channel.whole_sum;
    outlet_[k].squares += channel.whole_squares[sampler.newest()];
    ++age_[k];
    if (ends) {
      inputs.power_mw[k] = inputs.current_ma[k] == 0 ? 0 : milliwatts(k, window_power_[k], 1);
      window_power_[k] = 0;
    }
  }
  for (uint8_t s = 0; s < kSources; ++s) {
    source_[s].sum += sampler.source[s].whole_sum;
    source_[s].squares += sampler.source[s].whole_squares[sampler.newest()];
    ++age_[kOutlets + s];
  }
  if (ends) {
    window_age_ = 0;
  }
}

bool Metering::end_second(Sampler& sampler, uint8_t channel) {
  const uint16_t bit = static_cast<uint16_t>(1U << channel);
  const bool first = (begun_ & bit) == 0;
  if (age_[channel] < (first ? (channel + 1) * kBlocksApart : kSecondBlocks)) {
    return false;
  }
  // The first second of a channel is short: its turn comes. Only noise is learned from it.
  if (channel >= kOutlets) {
    const uint8_t s = static_cast<uint8_t>(channel - kOutlets);
    if (!first) {
      end_source(s, sampler.source[s]);
    }
    source_[s] = Sums{0, 0};
  } else {
    if (!first) {
      end_outlet(channel, sampler.outlet[channel]);
    }
    learn(channel, sampler.outlet[channel]);
    const OutletMask mask = sampler.outlet[channel].bit;
    closed_before_ = static_cast<OutletMask>((closed_before_ & ~mask) | (closed_ & mask));
    closed_ = static_cast<OutletMask>(closed_ & ~(mask & ~sampler.drives.outlets));
    outlet_[channel] = Sums{0, 0};
    second_power_[channel] = 0;
  }
  age_[channel] = 0;
  begun_ = static_cast<uint16_t>(begun_ | bit);
  return !first;
}

void Metering::end_outlet(uint8_t k, OutletChannel& channel) {
  const Sums& sums = outlet_[k];
  judge(k, channel);
  const int32_t drift = static_cast<int32_t>(kDriftCounts) * kSecondSamples;
  const bool drifts = sums.sum < drift && sums.sum > -drift;
  const uint32_t whole = mean_square(sums.squares, kSecondSamples);
  const uint32_t square = difference_or_0(whole, drifts ? square_mean(sums.sum, kSecondSamples) : 0);
  // The square of a noise of 2500 samples is uncertain by 3 %: what lies within 10 % is nothing.
  const uint32_t noise = static_cast<uint32_t>(noise_[k]) << 2;
  if (square < noise + noise / 10 + kLeastSquare) {
    second.current_ma[k] = 0;
    second.power_mw[k] = 0;
  } else {
    second.current_ma[k] =
        units_of(square - noise, part(kMilliampUnit, static_cast<uint32_t>(gain_[k]) << 16) << 1);
    second.power_mw[k] = milliwatts(k, second_power_[k], kWindowsInSecond);
  }
  if (drifts && (sums.sum > kSecondSamples || sums.sum < -static_cast<int32_t>(kSecondSamples))) {
    channel.zero = static_cast<int16_t>(channel.zero + (sums.sum > 0 ? 1 : -1));
  }
}

void Metering::end_source(uint8_t s, SourceChannel& channel) {
  const Sums& sums = source_[s];
  const uint32_t square =
      difference_or_0(mean_square(sums.squares, kSourceSamples), square_mean(sums.sum, kSourceSamples));
  const uint32_t times256 = microvolts_[s] << 8;
  second.voltage_mv[s] = units_of(square, times256 + part(times256, fraction(0.024)));
  // No mains has a mean: what there is belongs to the sensor.
  const int32_t half = kSourceSamples / 2;
  if (sums.sum > half || sums.sum < -half) {
    channel.zero =
        static_cast<int16_t>(channel.zero + (sums.sum + (sums.sum > 0 ? half : -half)) / kSourceSamples);
  }
}

// Learns noise and zero of a sensor from what it has said while nothing flowed.
void Metering::learn(uint8_t k, OutletChannel& channel) {
  const Sums& sums = outlet_[k];
  const bool open = ((closed_ | closed_before_) & channel.bit) == 0;
  const uint8_t least = learned_[k] == 0 ? kLeastBlocks : kSecondBlocks;
  if (!open || age_[k] < least) {
    return;
  }
  const uint16_t samples = static_cast<uint16_t>(age_[k] * kBlockSamples2 / 2);
  const int32_t offset = static_cast<int32_t>(kOffsetCounts) * samples;
  const int32_t half = samples / 2;
  const uint32_t noise =
      difference_or_0(mean_square(sums.squares, samples), square_mean(sums.sum, samples)) >> 2;
  if (sums.sum > offset || sums.sum < -offset || noise > kLargestNoise) {
    return;
  }
  channel.zero = static_cast<int16_t>(channel.zero + (sums.sum + (sums.sum < 0 ? -half : half)) / samples);
  if (learned_[k] == 0) {
    noise_[k] = static_cast<uint16_t>(noise);
    learned_[k] = 1;
  } else if (noise < 2UL * noise_[k] + 1024) {  // more is a current through an open relay
    if (age_[k] == kSecondBlocks && learned_[k] < kNoiseSeconds) {
      ++learned_[k];
    }
    const int32_t change = static_cast<int32_t>(noise) - noise_[k];
    noise_[k] = static_cast<uint16_t>(noise_[k] + change / learned_[k]);
  }
}

// A sensor that says the same in every sample of a second is stuck: a working one has noise. One whose mean
// is far off is open or saturated.
void Metering::judge(uint8_t k, const OutletChannel& channel) {
  const Sums& sums = outlet_[k];
  const int32_t far = static_cast<int32_t>(kOffsetCounts) * kSecondSamples * 4;
  const bool faulty = mean_square(sums.squares, kSecondSamples) == square_mean(sums.sum, kSecondSamples) ||
                      sums.sum > far || sums.sum < -far;
  fault_ = static_cast<OutletMask>(faulty ? fault_ | channel.bit : fault_ & ~channel.bit);
}

// ---- the supply of the ADC

void Metering::take_reference(Sampler& sampler) {
  if (sampler.reference_count < kReferenceConversions) {
    return;
  }
  // The ADC rounds down: half a count is missing.
  const uint16_t measured =
      static_cast<uint16_t>(64UL * sampler.reference_sum / sampler.reference_count + 32);
  sampler.reference_sum = 0;
  sampler.reference_count = 0;
  reference_fault = measured < kReferenceLow || measured > kReferenceHigh;
  if (reference_fault) {
    return;
  }
  const int16_t change = static_cast<int16_t>(measured - reference);
  const bool moved =
      change > static_cast<int16_t>(kReferenceStep) || change < -static_cast<int16_t>(kReferenceStep);
  reference = moved ? measured : static_cast<uint16_t>(reference + change / 16);
  set_scales(sampler);
}

void Metering::set_scales(const Sampler& sampler) {
  scaled_for_ = sampler.drives.changeover;
  const uint16_t calibrated = calibration_->reference == 0 ? kNominalReference : calibration_->reference;
  const uint16_t now = reference == 0 ? calibrated : reference;
  const uint32_t ratio = (static_cast<uint32_t>(calibrated) << 16) / now;
  for (uint8_t s = 0; s < kSources; ++s) {
    const uint32_t drawn = gained(kNominalMicrovolts, calibration_->source_gain[s]);
    microvolts_[s] = part(drawn << 8, ratio << 8);
    nominal_peak_[s] = static_cast<uint16_t>(kNominalPeakMv * 1000UL / microvolts_[s]);
    limit_permille_[s] = 0;
  }
  const uint32_t watts = part(microvolts_[index(scaled_for_)] << 10, kWattScale);
  for (uint8_t k = 0; k < kOutlets; ++k) {
    const uint16_t slot = scaled_for_ == Source::kMain ? 0 : kSlotLead;
    const uint32_t lead = static_cast<uint32_t>(sampler.outlet[k].lead - slot);
    const uint32_t loss = (lead * (kLeadScale - lead) >> 8) * kLineLoss >> 16;  // in 32768ths
    watts_[k] = part(part(watts, static_cast<uint32_t>(gain_[k]) << 16), (32768 + loss) << 16) << 2;
  }
}

void Metering::limit(Sampler& sampler, const Standing& standing, Source active) {
  constexpr uint16_t kIdlePermille = 650;
  constexpr uint16_t kCollapsedPermille = 350;
  for (uint8_t s = 0; s < kSources; ++s) {
    const uint16_t permille = s == index(active) ? standing.at_once_permille : kIdlePermille;
    if (permille == limit_permille_[s]) {
      continue;
    }
    limit_permille_[s] = permille;
    const uint32_t peak = nominal_peak_[s];
    const uint32_t lost = peak * permille / 1000;
    const uint32_t collapsed = peak * kCollapsedPermille / 1000;
    sampler.set_limits(static_cast<Source>(s), static_cast<uint16_t>(lost * lost * kSpanPermille / 1000),
                       static_cast<uint16_t>(collapsed * collapsed * kSpanPermille / 1000));
  }
}

}  // namespace loadcenter
