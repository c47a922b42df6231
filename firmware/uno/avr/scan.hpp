// The scan: Timer1 begins it every 400 us, each conversion starts the next one, and the interrupt of each
// gives the sample to the sampler and moves the relays that it says.
#pragma once

#include "../core/relays.hpp"
#include "../core/sampler.hpp"

namespace loadcenter {

extern Relays relays;

void begin_scans();  // the sampler has begun

// How many scans were still at work when the next one was due, which was late then. Rolls over.
uint16_t late_scans();

}  // namespace loadcenter
