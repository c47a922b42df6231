#include "sampler.hpp"

#include "multiply.hpp"

// What is seldom reached in a scan is kept out of line, so that what is always done keeps its registers.
#define LOADCENTER_SELDOM __attribute__((noinline))

namespace loadcenter {
namespace {

constexpr uint16_t counts_of(int32_t milliamps) {
  return static_cast<uint16_t>(milliamps * 1000 / board::kMilliampsPerCountX1000);
}

constexpr uint16_t kPeak = counts_of(board::kInstantaneousPeakMa);
constexpr uint16_t kTwoPoint = counts_of(board::kInstantaneousTwoPointMa);
constexpr uint32_t kTwoPointSpan =
    static_cast<uint32_t>(kTwoPoint) * kTwoPoint * kOutletSpanPermyriad / 10000;
// With |a| + |b| = m the span is at most m^2 (1 + tan^2): below this no pair of samples reaches the limit.
constexpr uint16_t kTwoPointLeast = static_cast<uint16_t>(kTwoPoint * 240UL / 1000);
static_assert(static_cast<uint32_t>(kTwoPointLeast) * kTwoPointLeast * 1030 / 1000 < kTwoPointSpan,
              "two samples of kTwoPointLeast in all do not reach the limit");

constexpr uint16_t kSteepest = 80;  // counts from sample to sample

// Hides from the compiler which element of an array this is: it would reckon the address anew for each
// member.
template <typename Channel>
inline Channel& settled(Channel& channel) {
  Channel* place = &channel;
#ifdef __AVR__
  asm("" : "+b"(place));
#endif
  return *place;
}

inline uint16_t magnitude_of(int16_t value) { return static_cast<uint16_t>(value < 0 ? -value : value); }

inline uint32_t span_of(int16_t a, int16_t b, uint8_t tangent128) {
  const uint16_t sum = magnitude_of(static_cast<int16_t>(a + b));
  const uint16_t difference = magnitude_of(static_cast<int16_t>(a - b));
  const uint16_t tangent = static_cast<uint16_t>(static_cast<uint16_t>(sum * tangent128 + 64) >> 7);
  return square(difference) + square(tangent);
}

}  // namespace

void Sampler::begin() {
  drives = Drives{Source::kMain, false, 0};
  for (uint8_t k = 0; k < kOutlets; ++k) {
    outlet[k].bit = static_cast<OutletMask>(1U << k);
    outlet[k].zero = board::kZeroCounts;
    const uint8_t slots = static_cast<uint8_t>(kCurrents - k % kCurrents);
    outlet[k].lead = static_cast<uint16_t>(kLeadScale / board::kTurns - slots * kSlotLead);
  }
  for (SourceChannel& channel : source) {
    channel.zero = board::kZeroCounts;
    channel.half_low = UINT16_MAX;
  }
  window_bit_ = 1;
}

uint8_t Sampler::outlet_of(uint8_t slot) const {
  return board::kTurns == 2 && (scans & 1) != 0 ? static_cast<uint8_t>(slot + kCurrents) : slot;
}

uint8_t Sampler::channel(uint8_t slot) const {
  if (slot >= kCurrents) {
    return static_cast<uint8_t>(kOutlets + slot - kCurrents);
  }
  // The multiplexer has stood on the band gap since the last scan ended: it needs that time to settle.
  const bool reference = slot == 0 && static_cast<uint8_t>(scans) % kReferenceScans == 0;
  return reference ? kBandGap : outlet_of(slot);
}

uint8_t Sampler::take(uint8_t slot, uint16_t raw) {
  if (slot >= kCurrents) {
    const Source which = static_cast<Source>(slot - kCurrents);
    SourceChannel& taken = settled(source[index(which)]);
    return voltage(taken, which, static_cast<int16_t>(static_cast<int16_t>(raw) - taken.zero));
  }
  OutletChannel& taken = settled(outlet[outlet_of(slot)]);
  int16_t sample = static_cast<int16_t>(static_cast<int16_t>(raw) - taken.zero);
  if (slot == 0 && static_cast<uint8_t>(scans) % kReferenceScans == 0) {
    // This conversion was of the band gap; the current goes on in a straight line, unless that is steeper
    // than a sine at the end of the sensor: a spike is not carried on.
    reference_sum = static_cast<uint16_t>(reference_sum + raw);
    ++reference_count;
    const uint8_t at = static_cast<uint8_t>(static_cast<uint8_t>(scans) / board::kTurns);
    const int16_t before = taken.history[(at - 1) & (kOutletLag - 1)];
    sample = taken.history[at & (kOutletLag - 1)];
    if (magnitude_of(static_cast<int16_t>(before - sample)) < kSteepest) {
      sample = static_cast<int16_t>(2 * before - sample);
    }
  }
  return current(taken, sample);
}

bool Sampler::end_scan(bool live) {
  if (live) {
    live_blocks_ = 3;  // an optocoupler with one diode is silent for half a cycle
  }
  ++scans;
  if (board::kTurns == 1 || (scans & 1) == 0) {
    window_bit_ = static_cast<uint8_t>(window_bit_ << 1);
    if (window_bit_ == 0) {
      window_bit_ = 1;
      ++window_byte_;
    } else if (window_byte_ == kClipWindow / 8 && window_bit_ == 1U << kClipWindow % 8) {
      window_bit_ = 1;
      window_byte_ = 0;
    }
  }
  if (++block_scan_ < kBlockScans) {
    return false;
  }
  block_scan_ = 0;
  ring_ = ring_ + 1 == kWindowBlocks ? 0 : static_cast<uint8_t>(ring_ + 1);
  if (live_blocks_ != 0) {
    --live_blocks_;
  }
  ++blocks;
  return true;
}

// ---- currents

inline uint8_t Sampler::current(OutletChannel& channel, int16_t sample) {
  const uint8_t at = static_cast<uint8_t>(static_cast<uint8_t>(scans) / board::kTurns);
  int16_t& place = channel.history[at & (kOutletLag - 1)];
  const int16_t old = place;
  interpolate(channel, sample, channel.history[(at - 1) & (kOutletLag - 1)]);
  place = sample;
  const uint16_t magnitude = magnitude_of(sample);
  channel.sum = static_cast<int16_t>(channel.sum + sample);
  channel.squares += square(magnitude);
  const bool clipped = magnitude >= board::kClippedCounts;
  if (clipped) {
    ++channel.clipped;
    channel.shortly = kShortly;
  } else if (channel.shortly != 0) {
    --channel.shortly;
  }
  if (ends_turns()) {
    end_block(channel);
  }
  if ((drives.outlets & channel.bit) == 0) {
    channel.over = 0;
    channel.mask = 0;
    return kActNone;
  }
  const bool reaches = magnitude >= kPeak || (magnitude + magnitude_of(old) >= kTwoPointLeast &&
                                              span_of(sample, old, kOutletTangent128) >= kTwoPointSpan);
  uint8_t moved = kActNone;
  if (reaches) {
    moved = over(channel, magnitude);
  } else {
    channel.over = 0;
  }
  return channel.mask == 0 ? moved : masked(channel, clipped);
}

// The sum of volts and amperes of one moment: the current at the time of the last voltage sample lies on the
// line from the sample before that to the one after.
inline void Sampler::interpolate(OutletChannel& channel, int16_t sample, int16_t before) {
  const uint16_t lead =
      drives.changeover == Source::kMain ? channel.lead : static_cast<uint16_t>(channel.lead - kSlotLead);
  const int16_t step = static_cast<int16_t>(before - sample);
  const int16_t sixteenths =
      static_cast<int16_t>(sample * kPowerScale + (multiply(step, static_cast<int16_t>(lead)) >> 8));
  channel.power += multiply(volts_, sixteenths);
}

LOADCENTER_SELDOM uint8_t Sampler::over(OutletChannel& channel, uint16_t magnitude) {
  const uint16_t least = magnitude < kTwoPoint ? kTwoPoint : magnitude;  // so much at least is its amplitude
  if (channel.over == 0 || least > channel.peak) {
    channel.peak = least;
  }
  if (channel.over < kOverSamples) {
    ++channel.over;
  }
  if (channel.mask == 0 && (standing_.quiet & channel.bit) != 0) {
    standing_.quiet = static_cast<OutletMask>(standing_.quiet & ~channel.bit);
    deeds_.masked = static_cast<OutletMask>(deeds_.masked | channel.bit);
    begin_mask(channel);
  }
  return channel.mask == 0 && channel.over == kOverSamples ? trip(channel) : static_cast<uint8_t>(kActNone);
}

void Sampler::begin_mask(OutletChannel& channel) {
  channel.mask = kMaskSamples;
  channel.mask_clipped = 0;
  channel.window_clipped = 0;
  for (uint8_t& byte : channel.window) {
    byte = 0;
  }
}

LOADCENTER_SELDOM uint8_t Sampler::masked(OutletChannel& channel, bool clipped) {
  --channel.mask;
  uint8_t& byte = channel.window[window_byte_];
  if ((byte & window_bit_) != 0) {
    byte = static_cast<uint8_t>(byte & ~window_bit_);
    --channel.window_clipped;
  }
  if (!clipped) {
    return kActNone;
  }
  byte = static_cast<uint8_t>(byte | window_bit_);
  ++channel.window_clipped;
  ++channel.mask_clipped;
  const bool shorted = channel.window_clipped >= kClipLimit || channel.mask_clipped >= kMaskClipLimit;
  return shorted ? trip(channel) : static_cast<uint8_t>(kActNone);
}

uint8_t Sampler::trip(OutletChannel& channel) {
  deeds_.tripped = static_cast<OutletMask>(deeds_.tripped | channel.bit);
  open_outlets(channel.bit);
  return kActOutlets;
}

void Sampler::open_outlets(OutletMask outlets) {
  deeds_.shut_off = static_cast<OutletMask>(deeds_.shut_off | outlets);
  drives.outlets = static_cast<OutletMask>(drives.outlets & ~outlets);
}

// ---- voltages

inline uint8_t Sampler::voltage(SourceChannel& channel, Source which, int16_t sample) {
  const uint8_t at = static_cast<uint8_t>(scans);
  int16_t& place = channel.history[at & (kLag - 1)];
  const int16_t old = place;
  place = sample;
  const uint16_t magnitude = magnitude_of(sample);
  channel.sum = static_cast<int16_t>(channel.sum + sample);
  channel.squares += square(magnitude);
  channel.half_sum = static_cast<uint16_t>(channel.half_sum + magnitude);
  if (++channel.half_scans == kHalfScans) {
    end_half(channel);
  }
  if (sample < -kCrossingCounts) {
    channel.negative = true;
  } else if (channel.negative && sample >= 0) {
    channel.negative = false;
    channel.crossing = Crossing{static_cast<uint8_t>(channel.crossing.number + 1),
                                static_cast<uint16_t>(scans), channel.history[(at - 1) & (kLag - 1)], sample};
  }
  if (which == drives.changeover) {
    volts_ = sample;
  }
  if (ends_block()) {
    end_block(channel);
  }
  const uint32_t span = span_of(sample, old, kTangent128);
  if (span < channel.lost) {
    return low(channel, which, span);
  }
  channel.low_scans = 0;
  channel.lost_after = 0;
  return kActNone;
}

LOADCENTER_SELDOM void Sampler::end_half(SourceChannel& channel) {
  if (channel.half_sum < channel.half_low) {
    channel.half_low = channel.half_sum;
  }
  if (channel.half_sum > channel.half_high) {
    channel.half_high = channel.half_sum;
  }
  channel.half_sum = 0;
  channel.half_scans = 0;
}

LOADCENTER_SELDOM uint8_t Sampler::low(SourceChannel& channel, Source which, uint32_t span) {
  const uint32_t before = channel.span;
  channel.span = span;
  if (channel.low_scans < UINT8_MAX) {
    ++channel.low_scans;
  }
  if (channel.low_scans < kLossScans) {
    return kActNone;
  }
  if (channel.lost_after == 0) {
    channel.lost_after = channel.low_scans;
  }
  if (which != drives.changeover || !standing_.leave) {
    return kActNone;
  }
  // In the fourth scan the older sample may still be of before the loss. What is left of the source is known
  // then only if it is next to nothing, or the same as a scan ago; in the fifth scan it is known.
  const bool steady = span - before + (before >> 2) <= before >> 1;
  if (channel.low_scans == kLossScans && span > collapsed_[index(which)] && !steady) {
    return kActNone;
  }
  channel.lost_after = channel.low_scans;
  return leave(which, span);
}

uint8_t Sampler::leave(Source which, uint32_t span) {
  standing_.leave = false;  // once in a step
  const uint8_t moved = open_short_circuits();
  if (moved != kActNone) {
    return moved;
  }
  if (span <= collapsed_[index(which)]) {
    return swing();
  }
  drives.isolator_closed = false;
  deeds_.opened = true;
  return kActIsolator;
}

uint8_t Sampler::swing() {
  open_outlets(standing_.shed);
  drives.changeover = other(drives.changeover);
  deeds_.swung = true;
  for (OutletChannel& channel : outlet) {
    if ((drives.outlets & channel.bit) != 0) {
      begin_mask(channel);
    }
  }
  return kActOutlets | kActChangeover;
}

// A load that draws a short-circuit current while its source falls must not be carried to the other one. Of a
// masked outlet, only clipped samples say so.
uint8_t Sampler::open_short_circuits() {
  uint8_t moved = kActNone;
  for (OutletChannel& channel : outlet) {
    if (channel.mask == 0 ? channel.over != 0 : channel.shortly != 0) {
      moved = trip(channel);
    }
  }
  return moved;
}

// ---- blocks

LOADCENTER_SELDOM void Sampler::end_block(OutletChannel& channel) {
  channel.whole_sum = channel.sum;
  channel.whole_power = channel.power;
  channel.whole_squares[ring_] = channel.squares;
  channel.whole_clipped[1] = channel.whole_clipped[0];
  channel.whole_clipped[0] = channel.clipped;
  channel.sum = 0;
  channel.power = 0;
  channel.squares = 0;
  channel.clipped = 0;
}

LOADCENTER_SELDOM void Sampler::end_block(SourceChannel& channel) {
  channel.whole_sum = channel.sum;
  channel.whole_squares[ring_] = channel.squares;
  channel.sum = 0;
  channel.squares = 0;
}

// ---- the main pass

void Sampler::see(Seen& seen) {
  seen.deeds = deeds_;
  deeds_ = Deeds{};
  seen.live = live_blocks_ != 0;
  for (uint8_t k = 0; k < kOutlets; ++k) {
    seen.peak[k] = outlet[k].peak;
  }
  for (uint8_t s = 0; s < kSources; ++s) {
    SourceChannel& channel = source[s];
    seen.half_low[s] = channel.half_low;
    seen.half_high[s] = channel.half_high;
    channel.half_low = UINT16_MAX;
    channel.half_high = 0;
    seen.crossing[s] = channel.crossing;
    seen.lost_after[s] = channel.lost_after;
  }
}

void Sampler::permit(const Drives& wanted, const Standing& standing) {
  const OutletMask rising = static_cast<OutletMask>(standing.masked & ~standing_.masked);
  standing_ = standing;
  standing_.quiet = static_cast<OutletMask>(standing.quiet & ~deeds_.masked);
  standing_.leave = standing.leave && !deeds_.swung && !deeds_.opened && deeds_.tripped == 0;
  drives.outlets = static_cast<OutletMask>(wanted.outlets & ~deeds_.shut_off);
  if (!deeds_.swung) {
    drives.changeover = wanted.changeover;
  }
  drives.isolator_closed = wanted.isolator_closed && !deeds_.opened;
  for (OutletChannel& channel : outlet) {
    if ((rising & channel.bit) != 0) {
      begin_mask(channel);
    }
  }
}

void Sampler::set_limits(Source which, uint16_t lost, uint16_t collapsed) {
  source[index(which)].lost = lost;
  collapsed_[index(which)] = collapsed;
}

}  // namespace loadcenter
