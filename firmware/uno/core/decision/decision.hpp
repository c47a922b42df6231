// What a PDU decides, in one place: the twin of src/loadcenter/domain/cycle.py, which explains the rules and
// their order. The same inputs give the same outputs; no clock is read.
#pragma once

#include <stdint.h>

#include "../commands.hpp"
#include "../joined.hpp"
#include "../points.hpp"
#include "../types.hpp"
#include "outcome.hpp"
#include "outlet.hpp"
#include "shedding.hpp"
#include "transfer.hpp"

namespace loadcenter {

// An order that was taken and whose effect is not seen yet.
struct Awaiting {
  bool waits;
  uint8_t key;
  Verb verb;
  bool on;
  uint32_t since_ms;
};

struct DecisionState {
  OutletState outlet[kOutlets];
  TransferState transfer;
  SheddingState shedding;
  Awaiting awaiting[kOutlets + 1];  // one for each outlet, and one for the transfer
  Moment bus_dead;                  // since when the bus carries no voltage
  Position outage;                  // the event that told the outage
  Moment closed;                    // when an outlet was last closed in its turn
  Moment bus_over;                  // since when the bus total is over its rating
  int32_t bus_curve;
  uint32_t stepped_ms;
  uint32_t second_ms;  // up to when heat and draws are brought up to date
  uint16_t emitted;    // events so far
  Drives drives;
  Standing standing;
};

class Decision {
 public:
  // Everything open, latches as they were left. Then the heat of each outlet may be set.
  void start(const KeptOutlet* kept, const Settings& settings, const Nominal& nominal, uint32_t now_ms);
  void set_heat(uint8_t index, int32_t ppm) { state_.outlet[index].guard.heat_ppm = ppm; }

  // One step, with the orders that have come since the one before.
  void step(const Inputs& inputs, const Settings& settings, const Command* orders, uint8_t count,
            uint32_t now_ms, Outcome& outcome);

  const DecisionState& state() const { return state_; }
  const Drives& drives() const { return state_.drives; }
  const Standing& standing() const { return state_.standing; }
  KeptOutlet kept(uint8_t index) const;
  Cause cause(uint8_t index) const { return arbitrate(state_.outlet[index]).cause; }

  // Notes that something else than a step has told an event.
  void count_event() { ++state_.emitted; }

 private:
  struct Step;

  DecisionState state_;
  Nominal nominal_;
};

}  // namespace loadcenter
