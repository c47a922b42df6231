// Plays decision traces (spec/vectors/decision.jsonl): lines of numbers in, lines of numbers out. The same on
// a host and on the board, so that both can be asked for the decisions of the same trace.
//
//   S setting outlet value                         as in an `S` frame (SER-40)
//   K outlet wanted locked heat_stage cause trip   what was kept of an outlet
//   B now_ms                                       starts
//   I ...                                          what is measured from now on, in the order of `Inputs`
//   A swung opened tripped masked peaks            what was done at once ahead of the next step
//   O key verb outlet on source off_ms             an order for the next step
//   N count step_ms                                makes steps
//   C                                              asks for the rows, rungs and ranks that were reached
//
// Every line is answered with what has changed, then with a line `.`, which tells the most cycles that a
// quiet step of the last `N` took. A line that cannot be done is answered with `?`.
#pragma once

#include <stdint.h>

#include "../core/decision/decision.hpp"

namespace loadcenter {

// Given by the machine.
void put_byte(char byte);
uint16_t cycle_count();  // of the processor; 0 where there is none

class Player {
 public:
  void begin();
  void take(char byte);

 private:
  static constexpr uint8_t kNumbers = 24;
  static constexpr uint8_t kOrders = 4;

  bool play();
  bool take_setting();
  bool take_kept();
  bool take_inputs();
  bool take_acted();
  bool take_order();
  void start();
  bool make_steps();
  void make_step(uint32_t now_ms);
  void tell_drives();
  void tell_kept();

  char kind_;
  uint8_t count_;
  bool negative_;
  bool within_;  // a number has begun
  bool failed_;  // the line does not fit
  uint32_t number_[kNumbers];

  Settings settings_;
  KeptOutlet kept_[kOutlets];
  Inputs inputs_;
  Command orders_[kOrders];
  uint8_t ordered_;
  uint32_t now_ms_;
  uint16_t most_cycles_;
  Drives drives_;
  Standing standing_;
};

extern Player player;

}  // namespace loadcenter
