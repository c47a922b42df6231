// What is done with each conversion: sums, the two-point detector, the instantaneous trip, and acting at
// once.
//
// A scan is one conversion of each channel, the currents first, then MAIN and BACKUP; it begins every 400 us.
// 25 scans are a block: half a cycle at 50 Hz, and a fifth of three cycles at 60 Hz. Whatever is reckoned
// over whole cycles is a sum of blocks (metering.hpp), so that the interrupt only adds. It divides nothing.
//
// Of a sine with amplitude A, two samples a and b that are d apart give
//   A^2 * 4 sin^2(d/2) = (a - b)^2 + (a + b)^2 tan^2(d/2),
// which is called the span here. It needs no phase and no history but b.
#pragma once

#include <stdint.h>

#include "types.hpp"

namespace loadcenter {

constexpr uint8_t kCurrents = kOutlets / board::kTurns;  // conversions of currents in a scan
constexpr uint8_t kSlots = kCurrents + kSources;
constexpr uint8_t kBlockScans = 25;
constexpr uint8_t kLag = 4;  // scans between the two points
// Of currents the two points are closer: a step in current stands between the points for two samples only,
// fewer than a trip takes, so that no step to less than the limit is taken for more than it.
constexpr uint8_t kOutletLag = 2 / board::kTurns;
constexpr uint8_t kLossScans = 4;                       // scans below the limit until a source is lost
constexpr uint8_t kOverSamples = 3;                     // samples over the limit until an outlet trips
constexpr uint16_t kMaskSamples = 375 / board::kTurns;  // 150 ms
constexpr uint8_t kClipWindow = 50 / board::kTurns;     // samples, of which kClipLimit trip a masked outlet
constexpr uint8_t kClipLimit = 40 / board::kTurns;
constexpr uint8_t kMaskClipLimit = 100 / board::kTurns;  // clipped samples in one mask
constexpr uint8_t kShortly = 5;                          // samples for which a clipped one still says "now"
constexpr int16_t kCrossingCounts = 16;   // below zero before a crossing counts: noise crosses too
constexpr uint8_t kReferenceScans = 128;  // the band gap takes the place of the first current every 51 ms
constexpr uint8_t kPowerScale =
    16;  // power sums are of counts of voltage times sixteenths of counts of current
constexpr uint16_t kLeadScale = 4096;  // parts of the interval between two samples of a current
constexpr uint16_t kSlotLead =         // by how much one slot moves the lead
    static_cast<uint16_t>(static_cast<uint32_t>(board::kSlotCycles) * kLeadScale / board::kTurns /
                          board::kScanCycles);

#if defined(LOADCENTER_60HZ)
constexpr uint8_t kWindowBlocks = 5;            // three cycles
constexpr uint8_t kHalfScans = 21;              // half a cycle of 20.8
constexpr uint8_t kOutletTangent128 = 19;       // 128 tan(17.28 deg / 2)
constexpr uint32_t kOutletSpanPermyriad = 903;  // 4 sin^2(17.28 deg / 2)
constexpr uint8_t kTangent128 = 40;             // 128 tan(34.56 deg / 2)
constexpr uint16_t kSpanPermille = 353;         // 4 sin^2(34.56 deg / 2)
#else
constexpr uint8_t kWindowBlocks = 2;  // one cycle
constexpr uint8_t kHalfScans = 25;
constexpr uint8_t kOutletTangent128 = 16;       // 128 tan(14.4 deg / 2)
constexpr uint32_t kOutletSpanPermyriad = 628;  // 4 sin^2(14.4 deg / 2)
constexpr uint8_t kTangent128 = 33;             // 128 tan(28.8 deg / 2)
constexpr uint16_t kSpanPermille = 247;         // 4 sin^2(28.8 deg / 2)
#endif

// Squares of one block. With the zero where a working sensor has it they are below 2^23; what a broken one
// says beyond 2^24 counts as that. A window of three cycles has five blocks, for which a UNO has no room in
// full.
#if defined(__AVR_ATmega328P__) && defined(LOADCENTER_60HZ)
using BlockSquares = __uint24;
#else
using BlockSquares = uint32_t;
#endif

// Which relays the sampler has moved; bits.
enum Act : uint8_t { kActNone = 0, kActOutlets = 1, kActIsolator = 2, kActChangeover = 4 };

// A rising zero crossing, between two samples of a source.
struct Crossing {
  uint8_t number;  // rolls over
  uint16_t scan;   // of the second sample; rolls over
  int16_t before;  // below zero
  int16_t after;   // zero or above
};

// One voltage. What is called whole belongs to the last whole block.
struct SourceChannel {
  int16_t zero;  // counts without voltage
  int16_t history[kLag];
  int16_t sum;
  uint32_t squares;
  int16_t whole_sum;
  BlockSquares whole_squares[kWindowBlocks];  // of the last blocks, in turn
  uint16_t half_sum;
  uint8_t half_scans;
  uint16_t half_low;   // least sum of magnitudes over half a cycle since it was taken
  uint16_t half_high;  // highest
  Crossing crossing;
  bool negative;       // has been well below zero since the last crossing
  uint8_t low_scans;   // scans below the limit, in a row
  uint8_t lost_after;  // scans from the first below the limit to the decision, while it is lost
  uint16_t lost;       // limit of the span
  uint32_t span;       // in the last scan below the limit
};

// One current.
struct OutletChannel {
  OutletMask bit;
  int16_t zero;   // counts without current
  uint16_t lead;  // how far before its sample MAIN's voltage was sampled, in parts of kLeadScale
  int16_t history[kOutletLag];
  int16_t sum;
  uint32_t squares;
  int32_t power;
  uint8_t clipped;
  int16_t whole_sum;
  int32_t whole_power;
  uint8_t whole_clipped[2];                   // of the last two blocks, the newest first
  BlockSquares whole_squares[kWindowBlocks];  // of the last blocks, in turn
  uint8_t over;                               // samples over the instantaneous limit, in a row
  uint16_t peak;                              // highest current of them, in counts
  uint8_t shortly;                            // samples until the last clipped one is forgotten
  uint16_t mask;                              // scans that are left of the inrush mask
  uint8_t mask_clipped;                       // clipped samples in this mask
  uint8_t window_clipped;                     // clipped samples in the last kClipWindow
  uint8_t window[(kClipWindow + 7) / 8];
};

// What the sampler has done by itself since it was last seen.
struct Deeds {
  bool swung;
  bool opened;  // the isolator
  OutletMask tripped;
  OutletMask masked;
  OutletMask shut_off;  // outlets opened for any reason
};

// What changes under the main pass and is therefore taken at one moment.
struct Seen {
  Deeds deeds;
  uint16_t half_low[kSources];
  uint16_t half_high[kSources];
  Crossing crossing[kSources];
  uint8_t lost_after[kSources];  // 0 while not lost
  bool live;
};

// Begins zeroed (static storage) and with `begin`.
class Sampler {
 public:
  // Every relay at rest; no source is lost before it has limits.
  void begin();

  // The channel to convert in a slot of the scan: an outlet, kOutlets + source, or kBandGap.
  static constexpr uint8_t kBandGap = 0xff;
  uint8_t channel(uint8_t slot) const;

  // Takes the conversion of a slot; with the first one of a block the one before becomes whole (`blocks`).
  // Returns the relays that it has moved; `drives` tells where to.
  uint8_t take(uint8_t slot, uint16_t raw);

  // After the last slot of a scan, with the state of the bus-live input.
  void end_scan(bool live);

  // Scans since the last whole block.
  uint8_t scans_in_block() const { return block_scan_; }

  // The place in `whole_squares` of the last whole block.
  uint8_t newest() const { return static_cast<uint8_t>((ring_ == 0 ? kWindowBlocks : ring_) - 1); }

  // What was done since the last time; for the main pass. Holds interrupts off for moments only.
  void see(Seen& seen);

  // Those below are for the main pass, with interrupts held off.
  // Takes nothing back that was done since `see`. Returns whether a relay has to move.
  bool permit(const Drives& wanted, const Standing& standing);
  void open_outlets(OutletMask outlets);                             // ahead of the next step: emergency off
  void set_limits(Source which, uint16_t lost, uint16_t collapsed);  // spans

  Drives drives;
  uint32_t scans;          // since start; rolls over
  uint8_t blocks;          // whole ones; rolls over
  uint16_t reference_sum;  // conversions of the band gap, until metering takes them
  uint8_t reference_count;

 private:
  uint8_t outlet_of(uint8_t slot) const;
  bool ends_turns() const { return block_scan_ >= kBlockScans - board::kTurns; }
  uint8_t current(OutletChannel& channel, int16_t sample);
  uint8_t voltage(SourceChannel& channel, Source which, int16_t sample);
  void interpolate(OutletChannel& channel, int16_t sample, int16_t before);
  uint8_t over(OutletChannel& channel, uint16_t magnitude);
  uint8_t masked(OutletChannel& channel, bool clipped);
  void begin_mask(OutletChannel& channel);
  void end_mask(OutletChannel& channel);
  void mask_outlets(OutletMask outlets);
  uint8_t trip(OutletChannel& channel);
  uint8_t low(SourceChannel& channel, Source which, uint32_t span);
  uint8_t leave(Source which, uint32_t span);
  uint8_t swing();
  uint8_t open_short_circuits();
  void end_half(SourceChannel& channel);
  void end_block(OutletChannel& channel);
  void end_block();

  Standing standing_;
  Deeds deeds_;
  int16_t volts_;  // last sample of the active source
  uint16_t collapsed_[kSources];
  uint8_t block_scan_;
  uint8_t ring_;         // place in `whole_squares` that is written next
  uint8_t window_byte_;  // place in the windows of clipped samples
  uint8_t window_bit_;
  uint8_t live_blocks_;  // blocks until the bus counts as dead

  // Behind the rest: what stands first is reached in fewer instructions.
 public:
  SourceChannel source[kSources];
  OutletChannel outlet[kOutlets];
};

// The only one, given by the board: it stands by itself because the interrupt works on it.
extern Sampler sampler;

}  // namespace loadcenter
