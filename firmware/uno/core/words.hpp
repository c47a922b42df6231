// Looking up the words of the serial line, which stay in flash (points.hpp).
#pragma once

#include <stdint.h>

namespace loadcenter {

// A piece of a received line: not ended by NUL.
struct Text {
  const char* start;
  uint8_t length;
};

// Returns the text that a pointer in flash points to; that text is in flash too.
const char* flash_text(const char* const* pointer);

// Returns whether `text` is the word at `flash`.
bool same(Text text, const char* flash);

// Returns the word at `position` (from 0) of a list, each with a NUL behind it and an empty one at the end,
// in flash; nullptr if it is shorter.
const char* word_at(const char* list, uint8_t position);

// Returns the position of a word in such a list, -1 if it is not in it.
int16_t position_of(const char* list, Text text);

// Puts the number that `text` is into `number`; false if it is not one: digits without a leading zero, up to
// 2^32 - 1.
bool to_number(Text text, uint32_t& number);

}  // namespace loadcenter
