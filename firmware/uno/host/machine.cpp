#include "machine.hpp"

#include <cstring>

#include "../core/ports.hpp"

namespace loadcenter {

Machine machine;

int16_t uart_take() {
  if (machine.received.empty()) return -1;
  const uint8_t byte = machine.received.front();
  machine.received.pop_front();
  return byte;
}

uint8_t uart_room() { return machine.send_room; }

void uart_put(uint8_t byte) {
  if (machine.send_room == 0) __builtin_trap();  // the core has written more than it asked room for
  --machine.send_room;
  machine.sent.push_back(byte);
}

uint16_t uart_lost() { return 0; }

bool eeprom_ready() { return machine.eeprom_ready; }

uint8_t eeprom_read(uint16_t address) { return machine.eeprom.at(address); }

void eeprom_write(uint16_t address, uint8_t value) {
  if (!machine.eeprom_ready) __builtin_trap();
  machine.eeprom_ready = false;
  if (machine.writes_left == 0) return;
  --machine.writes_left;
  machine.eeprom.at(address) = value;
  ++machine.writes.at(address);
}

uint8_t flash_u8(const void* address) { return *static_cast<const uint8_t*>(address); }

uint16_t flash_u16(const void* address) {
  uint16_t value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

uint32_t flash_u32(const void* address) {
  uint32_t value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

uint32_t clock_ms() { return machine.now_ms; }
uint32_t scan_count() { return machine.scans; }
uint16_t session_noise() { return machine.noise; }

}  // namespace loadcenter
