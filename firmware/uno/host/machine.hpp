// The machine that the core runs on in tests: a UART and an EEPROM in memory, and a clock that a test sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace loadcenter {

struct Machine {
  std::deque<uint8_t> received;  // not taken yet
  std::vector<uint8_t> sent;     // not collected yet
  uint8_t send_room = 31;        // what the ring of the UART holds, filled anew each pass
  std::vector<uint8_t> eeprom = std::vector<uint8_t>(4096, 0xFF);
  std::vector<uint32_t> writes = std::vector<uint32_t>(4096, 0);  // of each cell
  uint32_t writes_left = UINT32_MAX;  // until the supply is cut: what is written after that is lost
  bool eeprom_ready = true;           // a write ends with the pass
  uint32_t now_ms = 0;
  uint32_t scans = 0;
  uint16_t noise = 0;

  void pass() {
    eeprom_ready = true;
    send_room = 31;
  }
};

extern Machine machine;

}  // namespace loadcenter
