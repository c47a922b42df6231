// The transfer switch: which source feeds the bus, and how it gets there (domain/transfer.py).
#pragma once

#include <stdint.h>

#include "../tables.hpp"
#include "outcome.hpp"
#include "qualification.hpp"

namespace loadcenter {

// Most returns and manual transfers that are counted: the range of max_transfers_per_hour.
constexpr uint8_t kCountedMost = 10;

// What became of a manual transfer: its result, if it has one.
enum class Finish : uint8_t {
  kOk = static_cast<uint8_t>(Result::kOk),
  kNotConfirmed = static_cast<uint8_t>(Result::kNotConfirmed),
  kSourceNotGood = static_cast<uint8_t>(Result::kSourceNotGood),
  kLockout = static_cast<uint8_t>(Result::kLockout),
  kInOvercurrent = static_cast<uint8_t>(Result::kInOvercurrent),
  kNot = 0xFF,
};

class Transfer {
 public:
  void start();

  // Makes one step, and returns how a manual transfer ended if one did.
  // `overcurrent`: in progress, a tripped outlet with current, or a latched trip of the bus total.
  // `blocked`: a relay did not open on a trip; the isolator stays open until a person has reset it.
  Finish step(bool overcurrent, bool blocked);

  // Returns whether the active source may be left at once when it is lost.
  bool may_leave(bool overcurrent, bool blocked) const;
  bool fresh() const;  // the bus was connected less than 150 ms ago
  bool just_connected() const { return connected_ == 1; }

  void request(Source source);
  void clear_lockout();

  Mode mode() const { return mode_; }
  Source position() const { return position_; }
  bool isolator_closed() const { return isolator_closed_in(mode_); }
  bool moving() const { return move_.under_way; }
  Source target() const { return move_.target; }
  bool locked_out() const { return lockout_.known; }
  bool held() const { return held_; }  // a person has chosen the source
  Grade grade(Source source) const { return sense_[index(source)].grade; }
  Position lost(Source source) const { return lost_[index(source)]; }

 private:
  // A transfer under way, with what its record will say.
  struct Move {
    bool under_way;
    Source origin;
    Source target;  // where it goes now
    Source wanted;  // where it set out for: another one once that was lost on the way
    Cause cause;
    Position because;
    Age decided;        // since when
    uint16_t moved_ms;  // from the decision to the move; 0 before
    uint32_t detection_us;
    int32_t before_mv[kSources];
#if LOADCENTER_DIAGNOSTICS
    int32_t phase_mdeg;
#endif
  };

  // What is done in one step.
  struct Choice {
    bool made;
    Trigger trigger;
    Source target;
    Cause cause;  // kNone where no transfer begins
  };

  bool usable(Source source) const { return grade(source) != Grade::kBad; }
  bool leave_waits() const;
  Choice choose(bool overcurrent, bool blocked) const;
  Choice choose_isolated() const;
  Choice choose_closed(bool overcurrent) const;
  Choice choose_leaving(bool overcurrent) const;
  Choice choose_under_way() const;
  bool return_due() const;
  Finish apply(const Choice& chosen, bool blocked);
  void begin(const Choice& chosen);
  Finish settle();
  void lock_out(Position because);
  Finish drop_request();
  void note_grade(Source source, Grade before);
  void note_mismatch();
  void note_redundancy();

  Mode mode_;
  Source position_;
  ShortAge mode_age_;
  Source request_;
  bool requested_;
  bool held_;          // a person has chosen this source
  bool overvoltage_;   // why the bus is isolated
  bool mismatch_;      // it was told that the frequency is not the nominal one
  uint8_t redundant_;  // whether the idle source was usable: 0 no, 1 yes, 2 not known yet
  uint8_t counted_;
  Age started_;
  Age connected_;            // since the bus was last connected to a source
  Age left_;                 // since a bad source was last left
  Moment lockout_;           // since when returns and manual transfers are locked out
  Position lost_[kSources];  // the event that told the loss
  Move move_;
  Sense sense_[kSources];
  uint32_t counted_ms_[kCountedMost];
};

#ifdef LOADCENTER_COVERAGE
extern uint16_t rows_used;
extern uint16_t rungs_used;
#endif

}  // namespace loadcenter
