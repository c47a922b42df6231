// What a PDU decides, in one place: the twin of src/loadcenter/domain/cycle.py, which explains the rules and
// their order. The same inputs give the same outputs; no clock is read.
#pragma once

#include <stdint.h>

#include "../commands.hpp"
#include "../joined.hpp"
#include "outcome.hpp"
#include "outlet.hpp"
#include "shedding.hpp"
#include "transfer.hpp"

namespace loadcenter {

class Decision {
 public:
  // Everything open, latches as they were left.
  void start(const KeptOutlet* kept, const Settings& settings, uint32_t now_ms);

  // Heat that is known better than by its stage.
  void set_heat(uint8_t i, int32_t ppm) { outlet_[i].guard.heat_ppm = ppm; }

  // Makes one step, with the orders that have come since the one before, which it uses up.
  void step(const Inputs& inputs, const Settings& settings, Command* orders, uint8_t count, uint32_t now_ms);

  const Drives& drives() const { return drives_; }
  const Standing& standing() const { return standing_; }
  const OutletState& outlet(uint8_t i) const { return outlet_[i]; }
  const Transfer& transfer() const { return transfer_; }
  Cause cause(uint8_t i) const { return arbitrate(outlet_[i]).cause; }
  KeptOutlet kept(uint8_t i) const;

 private:
  // An order that was taken and whose effect is not seen yet.
  struct Awaiting {
    uint8_t key;
    bool wants_on;
    Age since;  // 0 while nothing waits
  };

  static constexpr uint8_t kTransferSlot = kOutlets;

  void keep_time();
  void protect_outlets();
  void trip(uint8_t i, Trip trip);
  void put_measured(uint8_t i, Trip trip) const;
  void protect_bus();
  bool overcurrent() const;
  bool blocked() const;

  void keep_budget();
  void put_total() const;
  void shed_outlet(uint8_t i, const Load& load);
  void switch_source();
  void shed_for(Source source);
  void watch_bus();

  void give(Command& order);
  Result refusal(const Command& order) const;
  Result refusal_of_outlet(const OutletState& outlet, const Command& order) const;
  bool carry_out(const Command& order);  // returns whether it is done already
  void want(uint8_t i, bool on);
  void supersede(uint8_t slot);
  void wait_for(uint8_t slot, const Command& order, bool wants_on);
  void end_order(uint8_t slot, Status status, Result code);
  void confirm(uint8_t i);

  void open_unwanted();
  void close_in_turn();
  uint8_t next_to_close() const;
  void drive(uint8_t i, bool closed);
  void tell_drive(uint8_t i, bool closed) const;
  void finish();

  Load total_;
  uint32_t stepped_ms_;
  uint32_t second_ms_;  // up to when heat and draws are brought up to date
  int32_t bus_curve_;
  bool bus_over_;    // the bus total is over its rating
  Age closed_;       // since an outlet was last closed in its turn
  Moment bus_dead_;  // since when the bus carries no voltage
  Position outage_;  // the event that told the outage
  OutletMask shed_before_;
  Drives drives_;
  Standing standing_;
  Shedding shedding_;
  Transfer transfer_;
  uint16_t current_ma_[kOutlets];
  uint16_t power_w_[kOutlets];       // of whole watts, so that 16 bits hold it
  Awaiting awaiting_[kOutlets + 1];  // one for each outlet, and one for the transfer
  OutletState outlet_[kOutlets];
};

}  // namespace loadcenter
