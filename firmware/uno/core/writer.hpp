// Frames that go out: written field by field straight to the UART, so that no line is ever held in memory.
// Nothing here waits: the caller sees to it that `uart_room` is at least kFieldRoom before each call.
#pragma once

#include <stdint.h>

#include "crc.hpp"
#include "types.hpp"

namespace loadcenter {

// Longest head with a field, field, or end: ` setting=max_transfers_per_hour`.
constexpr uint8_t kFieldRoom = 31;

class FrameWriter {
 public:
  void begin(char type, uint16_t seq, uint16_t session);
  void end();
  void spoil();  // ends the line so that nobody takes it for a frame

  // One field each. `key` and `word` are in flash; `of` is an outlet from 1, 0 for none.
  void number(const char* key, uint8_t of, int32_t number);  // kUnknown is written as `-`
  void word(const char* key, uint8_t of, const char* word);  // nullptr is written as `-`

  // Pieces of a field: its name with the `=`, then one of the others.
  void name(const char* key, uint8_t of);
  void name_of_source(const char* key, Source source);
  void digits(uint32_t low, uint16_t high = 0);
  void value(int32_t value);  // kUnknown is written as `-`
  void letters(const char* flash);
  void letter(char c);

 private:
  uint16_t crc_;
};

}  // namespace loadcenter
