// What the serial line and the records ask of the rest of the firmware: free functions given by whoever joins
// the parts (the main pass on the board, the shim on a host). So nothing is copied, and nothing here knows
// the decision layer.
#pragma once

#include <stdint.h>

#include "types.hpp"

namespace loadcenter {

// A value that telemetry tells, in the order in which it does: those of the PDU, of a source, of an outlet;
// `of` is an outlet from 1, a Source, or 0.
enum class Reading : uint8_t {
  kActive,        // a Source
  kLive,          // 0 or 1
  kIsolator,      // 0 open, 1 closed
  kLockout,       // 0 or 1
  kCpuPermille,   // share of the time spent in interrupts and passes
  kLateUs,        // how late a step has begun at most since it was asked last
  kFreeBytes,     // of memory that neither variables nor stack have ever used
  kVoltageMv,     // of a source
  kFrequencyMhz,  // of a source
  kGrade,         // of a source: 0 bad, 1 usable, 2 good
  kOn,            // of an outlet: 0 or 1
  kCause,         // of an outlet: its number in spec/codes.toml
  kTrip,          // likewise; kUnknown where there is none
  kLocked,        // of an outlet: 0 or 1
  kCurrentMa,     // of an outlet
  kPowerMw,       // of an outlet
};

// Returns the value now, kUnknown where it is not known.
int32_t reading(Reading what, uint8_t of);

// What is kept of an outlet without supply.
struct KeptOutlet {
  bool wanted;
  bool locked;
  uint8_t heat_stage;  // quarters of the heat that trips, 0 to 4
  uint8_t cause;       // number in spec/codes.toml
  uint8_t trip;        // likewise; 0 is none
};

// Returns what is to be kept now. `outlet` counts from 1.
KeptOutlet kept_outlet(uint8_t outlet);
uint8_t kept_held();  // the source that a person holds: 0 none, 1 main, 2 backup

// Returns why the firmware has started: the place of the word in `reset_cause` of spec/serial.toml.
uint8_t reset_cause();

}  // namespace loadcenter
