// The player on this machine: lines on standard input, answers on standard output.
#include <cstdio>
#include <cstring>

#include "player.hpp"

namespace loadcenter {

uint8_t flash_u8(const void* address) { return *static_cast<const uint8_t*>(address); }

uint16_t flash_u16(const void* address) {
  uint16_t value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

void put_byte(char byte) { std::putchar(byte); }

uint16_t cycle_count() { return 0; }

}  // namespace loadcenter

int main() {
  loadcenter::player.begin();
  for (int byte = std::getchar(); byte != EOF; byte = std::getchar()) {
    loadcenter::player.take(static_cast<char>(byte));
  }
  return 0;
}
