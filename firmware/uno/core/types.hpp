// What the layers of the firmware say to each other. Integers in wire units: mV, mA, mW, mHz, ms.
//
//   sampler (each scan, in the ISR)  --Inputs-->  decision (each step)  --Drives, Standing-->  sampler
//
// The decision layer steps every 10 to 20 ms. What cannot wait for a step is done by the sampler, within what
// the last step allows it to do (`Standing`); it reports what it has done (`Acted`), and the next step goes
// on from there.
#pragma once

#include <stdint.h>

#include "../board.h"

namespace loadcenter {

constexpr uint8_t kOutlets = LOADCENTER_OUTLETS;
constexpr uint8_t kSources = 2;
constexpr int32_t kUnknown = INT32_MIN;  // a measured value that is not known

static_assert(kOutlets >= 1 && kOutlets <= 8, "outlet masks have 8 bits");

using OutletMask = uint8_t;  // bit 0 is outlet 1

enum class Source : uint8_t { kMain = 0, kBackup = 1 };

constexpr Source other(Source source) { return source == Source::kMain ? Source::kBackup : Source::kMain; }

constexpr uint8_t index(Source source) { return static_cast<uint8_t>(source); }

// What is measured of one source.
struct SourceInput {
  int32_t voltage_mv;     // true RMS of the last whole cycles
  int32_t half_low_mv;    // lowest half-cycle mean since the last step, scaled to the RMS of a sine
  int32_t half_high_mv;   // highest likewise
  int32_t frequency_mhz;  // kUnknown where there is too little voltage to tell
  bool amplitude_lost;    // the two-point detector is below its limit now
  uint32_t detection_us;  // from the first scan below the limit to the decision; 0 while not lost
};

// What the sampler has done by itself since the last step.
struct Acted {
  bool swung;          // moved the changeover to the other source, with outlets of `Standing::shed` opened
  bool opened;         // opened the isolator because the active source was lost but carries voltage
  OutletMask tripped;  // opened by the instantaneous trip
  OutletMask masked;   // began an inrush mask because a quiet load started by itself
  int32_t peak_ma[kOutlets];  // of the tripped ones: highest current that was compared
};

// Everything that one step of the decision layer looks at.
struct Inputs {
  SourceInput source[kSources];
  int32_t current_ma[kOutlets];  // true RMS of the last whole cycles; clipped cycles count as board.h says
  int32_t power_mw[kOutlets];    // real power, likewise
  bool live;                     // bus-live input, behind changeover and isolator
#if LOADCENTER_DIAGNOSTICS
  int32_t phase_mdeg;  // angle from main to backup, kUnknown while one of them is dead
#endif
  OutletMask sensor_fault;  // current sensors that are stuck, open or saturated
  Acted acted;
};

// How the relays are driven.
struct Drives {
  Source changeover;
  bool isolator_closed;
  OutletMask outlets;
};

// What the sampler may do by itself until the next step.
struct Standing {
  bool leave;       // leave the active source at once when it is lost
  OutletMask shed;  // outlets to open in the same pass, before the changeover moves
  uint16_t
      at_once_permille;  // two-point limit for the active source: 650, or 400 for 150 ms after a transfer
  OutletMask masked;     // no instantaneous trip now, except by clip count
  OutletMask quiet;      // loads that may begin a mask by starting up
};

}  // namespace loadcenter
