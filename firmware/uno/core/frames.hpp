// Frames of the serial line that come in (SER-2 to SER-6). They are read byte by byte, so that no line is
// held.
//
//   TYPE SEQ SESSION NUMBER NUMBER ... *CRC
#pragma once

#include <stdint.h>

namespace loadcenter {

constexpr uint8_t kArguments = 4;         // numbers behind the session that anything here asks for
constexpr uint32_t kAbsent = UINT32_MAX;  // what stands for one that did not come

struct Frame {
  char type;
  uint16_t seq;
  uint16_t session;
  uint8_t count;                // of arguments, also of those that nobody asks for
  uint32_t number[kArguments];  // kAbsent from `count` on
};

// Reads a line byte by byte, and throws away everything up to the next LF after any error.
class LineReader {
 public:
  enum class Fate : uint8_t {
    kNothing,  // the line goes on, or was empty
    kFrame,    // `frame` is whole
    kThrown,   // a line has ended that is none
  };

  Fate take(uint8_t byte);

  // The last one, until the next byte is taken.
  const Frame& frame() const { return frame_; }

 private:
  // What has come last.
  enum class Place : uint8_t { kNothing, kType, kSpace, kZero, kDigit, kMark, kChecked, kSpoiled };

  Place place_after(uint8_t byte);
  bool take_digit(uint8_t digit);
  bool end_number();

  Place place_;
  Frame frame_;
  uint32_t number_;  // that is being read
  uint16_t crc_;     // of all so far
  uint16_t before_;  // of all before the last space
  uint8_t numbers_;  // that have ended, with SEQ and SESSION
  uint8_t left_;     // digits of the checksum
};

}  // namespace loadcenter
