// Loadcenter for the Arduino UNO and Mega, as a sketch: open this file in the Arduino IDE, choose the board,
// upload.
//
// The IDE compiles what stands in this folder only, so the sources of the folders below are taken in here.
// There is neither setup() nor loop(): avr/main.cpp has its own main(), and nothing of the Arduino core is
// used.

// clang-format off

// Arduino.h, which the IDE puts in front, has macros of these names.
#undef abs
#undef bit
#undef constrain
#undef max
#undef min
#undef round

#include "core/commands.cpp"
#include "core/counters.cpp"
#include "core/energy.cpp"
#include "core/events.cpp"
#include "core/frames.cpp"
#include "core/frequency.cpp"
#include "core/link.cpp"
#include "core/memory_store.cpp"
#include "core/metering.cpp"
#include "core/moments.cpp"
#include "core/pdu.cpp"
#include "core/points.cpp"
#include "core/record_ring.cpp"
#include "core/records.cpp"
#include "core/roots.cpp"
#include "core/sampler.cpp"
#include "core/settings.cpp"
#include "core/settings_store.cpp"
#include "core/staging.cpp"
#include "core/telemetry.cpp"
#include "core/verbs.cpp"
#include "core/writer.cpp"
#include "core/decision/curves.cpp"
#include "core/decision/decision.cpp"
#include "core/decision/outcome.cpp"
#include "core/decision/outlet.cpp"
#include "core/decision/protection.cpp"
#include "core/decision/qualification.cpp"
#include "core/decision/shedding.cpp"
#include "core/decision/step_now.cpp"
#include "core/decision/transfer.cpp"
#include "avr/chip.cpp"
#include "avr/coils.cpp"
#include "avr/heat.cpp"
#include "avr/joined.cpp"
#include "avr/main.cpp"
#include "avr/memory.cpp"
#include "avr/scan.cpp"
#include "avr/start.cpp"
#include "avr/uart.cpp"
