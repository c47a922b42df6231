// Frames that go out: written number by number straight to the UART, so that no line is ever held in memory.
// Nothing here waits: the caller sees to it that `uart_room` is at least kFieldRoom before each call.
#pragma once

#include <stdint.h>

#include "crc.hpp"
#include "types.hpp"

namespace loadcenter {

// Longest head with a number: `T 65535 65535 4294967295`; a number alone has 16 with its space.
constexpr uint8_t kFieldRoom = 25;

class FrameWriter {
 public:
  void begin(char type, uint16_t seq, uint16_t session);
  void end();
  void spoil();  // ends the line so that nobody takes it for a frame

  // One number each, behind a space.
  void number(int32_t value);  // kUnknown is written as `-`
  void count(uint32_t low, uint16_t high = 0);

 private:
  void digits(uint32_t low, uint16_t high);
  void letter(char c);

  uint16_t crc_;
};

}  // namespace loadcenter
