#include "frames.hpp"

#include "crc.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kCrcLength = 6;  // ` *29B1`

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Returns the value of a capital hexadecimal digit, 16 if it is none.
uint8_t hex(char c) {
  if (is_digit(c)) return static_cast<uint8_t>(c - '0');
  return c >= 'A' && c <= 'F' ? static_cast<uint8_t>(c - 'A' + 10) : 16;
}

// Cuts the text up to the next `mark` (or the end) off `rest` and returns it.
Text cut(Text& rest, char mark) {
  Text piece = {rest.start, 0};
  while (piece.length < rest.length && piece.start[piece.length] != mark) ++piece.length;
  const uint8_t taken = static_cast<uint8_t>(piece.length < rest.length ? piece.length + 1 : piece.length);
  rest.start += taken;
  rest.length = static_cast<uint8_t>(rest.length - taken);
  return piece;
}

// Cuts the checksum off `line`; false if it is not there or wrong.
bool take_crc(Text& line) {
  if (line.length < kCrcLength) return false;
  line.length = static_cast<uint8_t>(line.length - kCrcLength);
  const char* mark = line.start + line.length;
  if (mark[0] != ' ' || mark[1] != '*') return false;
  uint16_t told = 0;
  for (uint8_t i = 2; i < kCrcLength; ++i) {
    const uint8_t digit = hex(mark[i]);
    if (digit > 15) return false;
    told = static_cast<uint16_t>(told << 4 | digit);
  }
  uint16_t crc = kCrcStart;
  for (uint8_t i = 0; i < line.length; ++i) crc = crc16(crc, static_cast<uint8_t>(line.start[i]));
  return crc == told;
}

bool take_u16(Text& rest, uint16_t& number) {
  uint32_t value = 0;
  if (!to_number(cut(rest, ' '), value) || value > 0xFFFF) return false;
  number = static_cast<uint16_t>(value);
  return true;
}

bool is_key(Text text) {
  if (text.length == 0 || !is_letter(text.start[0])) return false;
  for (uint8_t i = 1; i < text.length; ++i) {
    const char c = text.start[i];
    if (!is_letter(c) && !is_digit(c) && c != '_') return false;
  }
  return true;
}

bool is_of(Text text) {
  for (uint8_t i = 0; i < text.length; ++i) {
    if (!is_letter(text.start[i]) && !is_digit(text.start[i])) return false;
  }
  return text.length != 0;
}

// Takes one field off `rest`; false if it has not the form of one.
bool take_field(Text& rest, Field& field) {
  Text text = cut(rest, ' ');
  Text name = cut(text, '=');
  field.value = text;
  field.key = cut(name, '.');
  field.of = name;
  // What `cut` has removed must have been there: `a` has no '=', `a.=1` a mark with nothing behind it.
  const bool dotted = field.of.length != 0 || field.key.start[field.key.length] == '.';
  return is_key(field.key) && (!dotted || is_of(field.of)) && field.value.length != 0;
}

bool read_frame(Text line, Frame& frame) {
  if (!take_crc(line)) return false;
  const Text type = cut(line, ' ');
  if (type.length != 1 || type.start[0] < 'A' || type.start[0] > 'Z') return false;
  frame.type = type.start[0];
  if (!take_u16(line, frame.seq)) return false;
  // A space that ends the line, and two that follow each other, leave a field of no characters.
  const bool bare = line.length != 0 && line.start[line.length - 1] == ' ';
  if (bare || !take_u16(line, frame.session)) return false;
  frame.fields = line;
  Field field;
  while (line.length != 0) {
    if (!take_field(line, field)) return false;
  }
  return true;
}

}  // namespace

bool next_field(Frame& frame, Field& field) {
  return frame.fields.length != 0 && take_field(frame.fields, field);
}

LineReader::Fate LineReader::take(uint8_t byte, Frame& frame) {
  if (byte != '\n') {
    const bool fits = length_ < kLineMax && byte >= 0x20 && byte <= 0x7E;
    if (fits) line_[length_++] = static_cast<char>(byte);
    spoiled_ = spoiled_ || !fits;
    return Fate::kNothing;
  }
  const Text line = {line_, length_};
  const bool spoiled = spoiled_;
  length_ = 0;
  spoiled_ = false;
  if (!spoiled && line.length == 0) return Fate::kNothing;
  return !spoiled && read_frame(line, frame) ? Fate::kFrame : Fate::kThrown;
}

}  // namespace loadcenter
