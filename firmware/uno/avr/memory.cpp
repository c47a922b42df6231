// EEPROM and flash.
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>

#include "../core/crc.hpp"
#include "../core/ports.hpp"
#include "machine.hpp"

extern const char __data_load_end[];  // from the linker: where the program ends in flash

namespace loadcenter {
namespace {

constexpr uint8_t kSlice = 32;  // bytes of flash a call: 32 KB in 10 s

uint16_t checked_;  // bytes of the program
uint16_t crc_ = kCrcStart;
uint16_t first_crc_;
bool known_;
bool differs_;

}  // namespace

bool eeprom_ready() { return (EECR & _BV(EEPE)) == 0; }

uint8_t eeprom_read(uint16_t address) {
  EEAR = address;
  EECR |= _BV(EERE);
  return EEDR;
}

void eeprom_write(uint16_t address, uint8_t value) {
  EEAR = address;
  EEDR = value;
  const Critical critical;  // the second flag must follow the first within four cycles
  EECR = _BV(EEMPE);
  EECR |= _BV(EEPE);
}

uint8_t flash_u8(const void* address) { return pgm_read_byte(address); }
uint16_t flash_u16(const void* address) { return pgm_read_word(address); }
uint32_t flash_u32(const void* address) { return pgm_read_dword(address); }

bool flash_holds() {
  const uint16_t end = reinterpret_cast<uint16_t>(__data_load_end);
  for (uint8_t left = kSlice; left != 0 && checked_ < end; --left) {
    crc_ = crc16(crc_, pgm_read_byte(checked_));
    ++checked_;
  }
  if (checked_ < end) {
    return !differs_;
  }
  // Nothing knows what the CRC of the whole should be: the sketch of an Arduino has no place for it. That of
  // the first reading after the start stands for it.
  differs_ = differs_ || (known_ && crc_ != first_crc_);
  first_crc_ = known_ ? first_crc_ : crc_;
  known_ = true;
  checked_ = 0;
  crc_ = kCrcStart;
  return !differs_;
}

}  // namespace loadcenter
