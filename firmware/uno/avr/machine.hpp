// The chip: what must be set up before the passes begin, and what only the chip can tell.
#pragma once

#include <stdint.h>

#include "../core/critical.hpp"

namespace loadcenter {

void begin_uart();
void draw_noise();  // conversions for `session_noise`, before the scans begin

// Why the chip has started, as the flags of MCUSR, also behind a boot loader that has cleared them.
uint8_t reset_flags();

// Whether every cell of RAM took and gave back both patterns at this start.
bool ram_works();

// Bytes between variables and stack that were never used.
uint16_t free_bytes();

// Reads some more of the program. False from the first time on that its CRC differs from that of this start.
bool flash_holds();

void begin_watchdog();  // 120 ms
void feed_watchdog();
void sleep_until_interrupt();

}  // namespace loadcenter
