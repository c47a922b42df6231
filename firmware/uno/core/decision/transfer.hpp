// The transfer switch: which source feeds the bus, and how it gets there (domain/transfer.py).
#pragma once

#include <stdint.h>

#include "../points.hpp"
#include "../tables.hpp"
#include "../types.hpp"
#include "outcome.hpp"
#include "qualification.hpp"

namespace loadcenter {

// Most returns and manual transfers that are counted: the range of max_transfers_per_hour.
constexpr uint8_t kCountedMost = 20;

// What the transfer switch is told in one step beside the measurements.
struct Feed {
  const Inputs* inputs;
  bool overcurrent;  // in progress, a tripped outlet with current, or a latched trip of the bus total
  bool blocked;      // a relay did not open on a trip: the isolator stays open until a person has reset it
};

// A transfer under way, with what its record will say.
struct Move {
  bool under_way;
  Source origin;
  Source target;  // where it goes now
  Source wanted;  // where it set out for: another one once that was lost on the way
  Cause cause;
  uint32_t decided_ms;
  uint32_t detection_us;  // 0 where nothing was detected
  Position because;
  Moment moved;
  int32_t before_mv[kSources];
  int32_t phase_mdeg;  // kUnknown while a source was dead
};

// What became of a manual transfer.
struct Finished {
  bool known;
  Result code;
};

struct TransferState {
  Mode mode;
  Source position;
  uint32_t started_ms;
  uint32_t since_ms;  // when the mode was entered
  Sense sense[kSources];
  Move move;
  bool requested;  // a manual transfer to `request` waits for its turn
  Source request;
  bool held;            // a person has chosen this source
  bool overvoltage;     // why the bus is isolated
  bool mismatch;        // it was told that the frequency is not the nominal one
  bool redundancy_known;
  bool redundant;       // the idle source was usable
  Moment lockout;       // since when returns and manual transfers are locked out
  Moment left;          // when a bad source was last left
  Moment connected;     // when the bus was last connected to a source
  Position lost[kSources];  // the event that told the loss
  uint8_t counted;
  uint32_t counted_ms[kCountedMost];

  bool isolator_closed() const { return isolator_closed_in(mode); }
};

void start_transfer(TransferState& state, uint32_t now_ms);

// Makes one step; returns how a manual transfer ended if one did.
Finished step_transfer(TransferState& state, const Feed& feed, const Settings& settings,
                       const Nominal& nominal, uint32_t now_ms, Journal& journal);

// Returns whether the active source may be left at once when it is lost.
bool may_leave(const TransferState& state, const Feed& feed, uint32_t now_ms);

// Returns the two-point limit of the active source, in permille of the nominal peak.
uint16_t at_once_permille(const TransferState& state, uint32_t now_ms);

void clear_lockout(TransferState& state);

// Which rows of the table were used, a bit each; for the tests.
#ifdef LOADCENTER_COVERAGE
extern uint16_t rows_used;
extern uint16_t rungs_used;
#endif

}  // namespace loadcenter
