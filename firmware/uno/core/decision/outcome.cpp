#include "outcome.hpp"

namespace loadcenter {

namespace {

Event event;
Position emitted;  // how many so far

}  // namespace

void begin_event(EventCode code, uint8_t outlet, uint8_t source, Cause cause) {
  event.code = static_cast<uint8_t>(code);
  event.outlet = outlet;
  event.source = source;
  event.cause = static_cast<uint8_t>(cause);
  event.because = 0;
  event.count = 0;
}

__attribute__((noinline)) void begin_event(EventCode code) { begin_event(code, 0, 0, Cause::kNone); }

void put_because(Position position) {
  const uint16_t before = static_cast<uint16_t>(emitted + 1 - position);
  if (position != 0 && before <= UINT8_MAX) event.because = static_cast<uint8_t>(before);
}

void put(int32_t number) { event.number[event.count++] = number; }

__attribute__((noinline)) void put_small(uint8_t number) { put(number); }

__attribute__((noinline)) void put_ma(uint16_t current_ma) { put(current_ma); }

void put_w(uint16_t power_w) { put(static_cast<int32_t>(power_w) * 1000); }

Position end_event() {
  event.at_ms = step_now.now_ms;
  take_event(event);
  return ++emitted;
}

void restart_events() { emitted = 0; }

}  // namespace loadcenter
