#include "sampler.hpp"

#include "critical.hpp"
#include "scanning.hpp"

// What is seldom reached in a scan is kept out of line, so that what is always done keeps its registers.
#define LOADCENTER_SELDOM __attribute__((noinline))

namespace loadcenter {

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

// ---- currents

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

// What has clipped shortly before counts in the window of a mask that follows another.
void Sampler::begin_mask(OutletChannel& channel) {
  channel.mask = kMaskSamples;
  channel.mask_clipped = 0;
}

LOADCENTER_SELDOM void Sampler::end_mask(OutletChannel& channel) {
  channel.mask = 0;
  channel.window_clipped = 0;
  for (uint8_t& byte : channel.window) {
    byte = 0;
  }
}

LOADCENTER_SELDOM uint8_t Sampler::masked(OutletChannel& channel, bool clipped) {
  if (--channel.mask == 0) {
    end_mask(channel);
    return kActNone;
  }
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
  mask_outlets(drives.outlets);
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

namespace {

BlockSquares whole_of(uint32_t squares) {
  constexpr uint32_t kMost = (1UL << 24) - 1;
  return static_cast<BlockSquares>(sizeof(BlockSquares) < sizeof squares && squares > kMost ? kMost
                                                                                            : squares);
}

}  // namespace

LOADCENTER_SELDOM void Sampler::end_block(OutletChannel& channel) {
  channel.whole_sum = channel.sum;
  channel.whole_power = channel.power;
  channel.whole_squares[ring_] = whole_of(channel.squares);
  channel.whole_clipped[1] = channel.whole_clipped[0];
  channel.whole_clipped[0] = channel.clipped;
  channel.sum = 0;
  channel.power = 0;
  channel.squares = 0;
  channel.clipped = 0;
}

// In the first conversion behind the block: the last one of a scan has no time for it.
LOADCENTER_SELDOM void Sampler::end_block() {
  for (SourceChannel& channel : source) {
    channel.whole_sum = channel.sum;
    channel.whole_squares[ring_] = whole_of(channel.squares);
    channel.sum = 0;
    channel.squares = 0;
  }
  block_scan_ = 0;
  ring_ = ring_ + 1 == kWindowBlocks ? 0 : static_cast<uint8_t>(ring_ + 1);
  if (live_blocks_ != 0) {
    --live_blocks_;
  }
  ++blocks;
}

// ---- the main pass

void Sampler::see(Seen& seen) {
  {
    const Critical critical;
    seen.deeds = deeds_;
    deeds_ = Deeds{false, false, 0, 0, 0};
  }
  seen.live = live_blocks_ != 0;
  for (uint8_t s = 0; s < kSources; ++s) {
    SourceChannel& channel = settled(source[s]);
    const Critical critical;
    seen.half_low[s] = channel.half_low;
    seen.half_high[s] = channel.half_high;
    channel.half_low = UINT16_MAX;
    channel.half_high = 0;
    seen.crossing[s] = channel.crossing;
    seen.lost_after[s] = channel.lost_after;
  }
}

bool Sampler::permit(const Drives& wanted, const Standing& standing) {
  const OutletMask rising = static_cast<OutletMask>(standing.masked & ~standing_.masked);
  standing_ = standing;
  standing_.quiet = static_cast<OutletMask>(standing.quiet & ~deeds_.masked);
  standing_.leave = standing.leave && !deeds_.swung && !deeds_.opened && deeds_.tripped == 0;
  const Drives before = drives;
  drives.outlets = static_cast<OutletMask>(wanted.outlets & ~deeds_.shut_off);
  if (!deeds_.swung) {
    drives.changeover = wanted.changeover;
  }
  drives.isolator_closed = wanted.isolator_closed && !deeds_.opened;
  if (rising != 0) {
    mask_outlets(rising);
  }
  return before.outlets != drives.outlets || before.changeover != drives.changeover ||
         before.isolator_closed != drives.isolator_closed;
}

void Sampler::mask_outlets(OutletMask outlets) {
  for (OutletChannel& channel : outlet) {
    if ((outlets & channel.bit) != 0) {
      begin_mask(channel);
    }
  }
}

void Sampler::set_limits(Source which, uint16_t lost, uint16_t collapsed) {
  source[index(which)].lost = lost;
  collapsed_[index(which)] = collapsed;
}

}  // namespace loadcenter
