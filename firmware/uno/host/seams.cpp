// What the core asks of the board, on a machine with one thread and no relays.
#include "../core/critical.hpp"
#include "../core/pdu.hpp"

namespace loadcenter {

Sampler sampler;

uint8_t hold_interrupts() { return 0; }
uint8_t hold_between_scans() { return 0; }
void release_interrupts(uint8_t) {}

void drive_relays(const Drives&) {}
uint8_t failing_tests() { return 0; }

void take_event(const Event&) {}
void take_answer(uint8_t, Status, Result) {}

}  // namespace loadcenter
