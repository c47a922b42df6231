// The part of the sampler that runs in every conversion, to be compiled into the one place that calls it: a
// call would cost the interrupt a hundred cycles of saved registers.
#pragma once

#include "multiply.hpp"
#include "sampler.hpp"

namespace loadcenter {

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

inline uint8_t Sampler::outlet_of(uint8_t slot) const {
  return board::kTurns == 2 && (scans & 1) != 0 ? static_cast<uint8_t>(slot + kCurrents) : slot;
}

inline uint8_t Sampler::channel(uint8_t slot) const {
  if (slot >= kCurrents) {
    return static_cast<uint8_t>(kOutlets + slot - kCurrents);
  }
  // The multiplexer has stood on the band gap since the last scan ended: it needs that time to settle.
  const bool reference = slot == 0 && static_cast<uint8_t>(scans) % kReferenceScans == 0;
  return reference ? kBandGap : outlet_of(slot);
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

__attribute__((always_inline)) inline uint8_t Sampler::current(OutletChannel& channel, int16_t sample) {
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
    if (channel.mask != 0) {
      end_mask(channel);
    }
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

__attribute__((always_inline)) inline uint8_t Sampler::voltage(SourceChannel& channel, Source which,
                                                               int16_t sample) {
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
  const uint32_t span = span_of(sample, old, kTangent128);
  if (span < channel.lost) {
    return low(channel, which, span);
  }
  channel.low_scans = 0;
  channel.lost_after = 0;
  return kActNone;
}

__attribute__((always_inline)) inline uint8_t Sampler::take(uint8_t slot, uint16_t raw) {
  if (slot >= kCurrents) {
    const Source which = static_cast<Source>(slot - kCurrents);
    SourceChannel& taken = settled(source[index(which)]);
    return voltage(taken, which, static_cast<int16_t>(static_cast<int16_t>(raw) - taken.zero));
  }
  if (block_scan_ == kBlockScans) {
    end_block();
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

inline void Sampler::end_scan(bool live) {
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
  ++block_scan_;
}

}  // namespace loadcenter
