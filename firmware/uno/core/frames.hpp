// Frames of the serial line that come in (SER-2 to SER-6): one line at a time, in one buffer, read in place.
//
//   TYPE SEQ SESSION KEY=VALUE KEY.OF=VALUE *CRC
#pragma once

#include <stdint.h>

#include "words.hpp"

namespace loadcenter {

constexpr uint8_t kLineMax = 64;  // longest line that the gateway sends, without its LF

// A frame whose CRC is right and whose form is that of SER-3. It points into the line and lives as long as
// that.
struct Frame {
  char type;
  uint16_t seq;
  uint16_t session;
  Text fields;  // what is left to read
};

// One `KEY=VALUE` or `KEY.OF=VALUE`.
struct Field {
  Text key;
  Text of;  // empty where there is none
  Text value;
};

// Takes the next field off `frame`; false when there is none left.
bool next_field(Frame& frame, Field& field);

// Collects a line byte by byte, and throws away everything up to the next LF after any error.
class LineReader {
 public:
  enum class Fate : uint8_t {
    kNothing,  // the line goes on, or was empty
    kFrame,    // `frame` is whole
    kThrown,   // a line has ended that is none
  };

  Fate take(uint8_t byte, Frame& frame);

 private:
  char line_[kLineMax];
  uint8_t length_;
  bool spoiled_;
};

}  // namespace loadcenter
