// What comes out of a step beside the drives: events, and how orders stand. Given by whoever runs the steps.
#pragma once

#include <stdint.h>

#include "../commands.hpp"
#include "../events.hpp"
#include "../tables.hpp"

namespace loadcenter {

class Outcome {
 public:
  virtual void event(const Event& event) = 0;
  virtual void answer(uint8_t key, Status status, Result code) = 0;

 protected:
  ~Outcome() {}
};

// A time that may not be known.
struct Moment {
  uint32_t ms;
  bool known;

  void set(uint32_t now_ms) {
    ms = now_ms;
    known = true;
  }
  void set_first(uint32_t now_ms) {
    if (!known) set(now_ms);
  }
  void forget() { known = false; }

  // Returns whether it is known and at least `lasts_ms` ago.
  bool past(uint32_t now_ms, uint32_t lasts_ms) const { return known && now_ms - ms >= lasts_ms; }
};

// Where an event stands among all of this start, so that a later one can name it as its reason.
struct Position {
  uint16_t number;
  bool known;
};

// Numbers the events of all steps and hands them on.
class Journal {
 public:
  Journal(Outcome& outcome, uint16_t& emitted, uint32_t now_ms)
      : outcome_(outcome), emitted_(emitted), now_ms_(now_ms) {}

  // Begins an event; `outlet` counts from 1, 0 is none; `source` is 0 for none, 1 main, 2 backup.
  Journal& begin(EventCode code, uint8_t outlet, uint8_t source, Cause cause);
  Journal& because(Position position);
  Journal& number(int32_t value) {
    event_.number[event_.count++] = value;
    return *this;
  }

  // Ends it, and returns where it stands.
  Position end();

  Outcome& outcome() { return outcome_; }

 private:
  Outcome& outcome_;
  uint16_t& emitted_;
  uint32_t now_ms_;
  Event event_ = {};
};

constexpr uint8_t told(Source source) { return static_cast<uint8_t>(index(source) + 1); }

}  // namespace loadcenter
