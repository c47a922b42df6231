// The serial line to the gateway (spec/serial.md): what comes in is judged and handed on, what goes out is
// written field by field as the UART has room. Nothing waits, and nothing here moves a relay.
#pragma once

#include <stdint.h>

#include "commands.hpp"
#include "events.hpp"
#include "frames.hpp"
#include "records.hpp"
#include "staging.hpp"
#include "writer.hpp"

namespace loadcenter {

class Link {
 public:
  // Draws the number of this session, and greets. To be called once, after `records.load`.
  void begin(uint32_t now_ms, const Records& records);

  uint16_t session() const { return session_; }

  // Takes what has come in. To be called once a pass, ahead of the step.
  void poll(Records& records);

  // Whether new settings have begun to run; then no more. That is an event, which the caller notes.
  bool take_applied();

  // Outlets whose pins must open now (SER-22); then none. The command that says so is queued as well.
  OutletMask take_emergency();

  // The next command for the decision layer; false if there is none.
  bool take_command(Command& command) { return commands_.pop(command); }

  // How a command stands, by its key.
  void answer(uint8_t key, Status status, uint8_t code) { commands_.answer(key, status, code); }

  // Notes what has happened, and returns its number.
  uint16_t note(const Event& event) { return events_.add(event); }
  uint16_t next_event() const { return events_.next(); }

  // Sends what there is room for. To be called once a pass.
  void pump(uint32_t now_ms, const Records& records);

  uint16_t thrown() const { return thrown_; }    // lines that were none; rolls over
  uint16_t unknown() const { return unknown_; }  // frames of an unknown type; rolls over

 private:
  enum class Sending : uint8_t {
    kNothing = 0,
    kHello = 'H',
    kTelemetry = 'T',
    kEvent = 'E',
    kAnswer = 'R',
    kTaken = 'A'
  };

  void take(const Frame& frame, Records& records);
  void take_command(const Frame& frame, Records& records);
  void take_emergency(const Frame& frame);

  void choose(uint16_t now_ms);
  void send_field(const Records& records);
  bool next_field(const Records& records);
  uint32_t own_number(const Records& records) const;
  bool hello_field(const Records& records);
  bool telemetry_field(const Records& records);
  bool event_field();
  bool answer_field();

  Staging staging_;
  FrameWriter writer_;
  // Low bits of the time, which suffice for a second as long as a pass comes each minute.
  uint16_t telemetry_ms_;  // when it was due last
  uint16_t event_ms_;      // when the oldest event was sent last
  uint16_t session_;
  uint16_t sent_;  // number of the last frame that has one of its own
  uint16_t thrown_;
  uint16_t unknown_;
  Answer answering_;
  uint16_t event_seq_;  // of the event that is, or was last, being sent
  Sending sending_;
  uint8_t field_;  // of the frame that is being sent
  OutletMask emergency_;
  bool applied_;
  bool greet_;
  bool report_;  // telemetry is due at once
  LineReader reader_;
  Commands commands_;
  EventRing events_;
};

}  // namespace loadcenter
