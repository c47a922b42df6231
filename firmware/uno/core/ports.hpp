// What the core asks of the machine it runs on: a dozen free functions, given by `avr/` on the board and by
// `host/` in the tests. None of them waits.
#pragma once

#include <stdint.h>

// Constants that stay in flash. The AVR has a second address space for them, so they are read through
// `flash_*`.
#ifdef __AVR__
#define LOADCENTER_FLASH __attribute__((__progmem__))
#else
#define LOADCENTER_FLASH
#endif

namespace loadcenter {

// ---- the serial line
int16_t uart_take();          // the next byte that has come, -1 if there is none
uint8_t uart_room();          // how many bytes uart_put would take now
void uart_put(uint8_t byte);  // only while there is room
uint16_t uart_lost();         // bytes lost for want of room since start; rolls over

// ---- EEPROM, of which a byte takes 3.4 ms
bool eeprom_ready();                                 // nothing is being written
uint8_t eeprom_read(uint16_t address);               // only while ready
void eeprom_write(uint16_t address, uint8_t value);  // begins to write; only while ready

// ---- constants in flash
uint8_t flash_u8(const void* address);
uint16_t flash_u16(const void* address);
uint32_t flash_u32(const void* address);

// ---- time
uint32_t clock_ms();    // since start; rolls over after 49.7 days
uint32_t scan_count();  // scans of 400 us since start; rolls over

// ---- chance: low bits of the ADC and the like, different at each start; only used to draw the session
// number
uint16_t session_noise();

}  // namespace loadcenter
