// What comes out of a step beside the drives: events, and how orders stand. Given by whoever runs the steps.
#pragma once

#include <stdint.h>

#include "../commands.hpp"
#include "../events.hpp"
#include "../tables.hpp"
#include "step_now.hpp"

namespace loadcenter {

// Takes an event that a step tells, and how an order stands. Given by the main pass, and by the tests.
void take_event(const Event& event);
void take_answer(uint8_t key, Status status, Result code);

// Where an event stands among all of this start, so that a later one can name it as its reason: its number
// and one more, 0 for none.
using Position = uint16_t;

// Begins an event; `outlet` counts from 1, 0 is none; `source` is 0 for none, 1 main, 2 backup.
void begin_event(EventCode code, uint8_t outlet, uint8_t source, Cause cause);
void begin_event(EventCode code);  // of the PDU, without a cause
void put_because(Position position);
void put(int32_t number);
void put_small(uint8_t number);
void put_ma(uint16_t current_ma);
void put_w(uint16_t power_w);  // told in mW

// Ends it, and returns where it stands.
Position end_event();

// Begins to number events anew.
void restart_events();

constexpr uint8_t told(Source source) { return static_cast<uint8_t>(index(source) + 1); }

}  // namespace loadcenter
