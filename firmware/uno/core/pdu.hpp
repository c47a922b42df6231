// The main pass: what comes over the line, the step of the decision layer every block, what goes out, one
// byte of EEPROM. The same on the board and on a host; what differs stands behind ports.hpp, critical.hpp and
// the two functions below.
#pragma once

#include <stdint.h>

#include "decision/decision.hpp"
#include "link.hpp"
#include "metering.hpp"
#include "records.hpp"

namespace loadcenter {

// Given by the board: brings the relays to `drives`. Called while no conversion is worked on.
void drive_relays(const Drives& drives);

// Given by the board: what each self test says now, a bit for each place in `self_test` of spec/serial.toml
// that fails. Called each second.
enum SelfTest : uint8_t { kRamTest, kFlashTest, kReferenceTest, kClockTest, kEepromTest, kStackTest };
uint8_t failing_tests();

// Begins zeroed (static storage) and with `begin`. No member has an initial value: a constructor would cost
// half a kilobyte of flash.
class Pdu {
 public:
  // Reads what is kept, and tells the start. The sampler has begun; no scan has.
  void begin();

  // Whether a block has ended that no step has looked at.
  bool due() const { return sampler.blocks != blocks_; }

  // One pass. Returns whether a step was made in it.
  bool pass();

  uint32_t now_ms() const { return now_ms_; }          // moves by whole blocks
  bool second_began() const { return second_began_; }  // with the last step

 private:
  void step(const Seen& seen);
  void test();
  bool clock_fails() const;

  uint32_t now_ms_;
  uint8_t blocks_;
  uint8_t second_blocks_;
  uint8_t failing_;  // self tests that were told
  bool second_began_;

  // Behind the rest: what stands first is reached in fewer instructions.
 public:
  Metering metering;
  Decision decision;
  Records records;
  Link link;
  Inputs inputs;
};

}  // namespace loadcenter
