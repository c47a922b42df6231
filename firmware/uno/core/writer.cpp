#include "writer.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kDigits = 15;
constexpr uint8_t kBytes = 6;

// Divides the number in `bytes` (highest first) by ten and returns the remainder. A division of 64 bits would
// cost a kilobyte of flash.
uint8_t divide_by_ten(uint8_t* bytes) {
  uint16_t rest = 0;
  for (uint8_t i = 0; i < kBytes; ++i) {
    rest = static_cast<uint16_t>(rest << 8 | bytes[i]);
    bytes[i] = static_cast<uint8_t>(rest / 10);
    rest = static_cast<uint16_t>(rest % 10);
  }
  return static_cast<uint8_t>(rest);
}

}  // namespace

void FrameWriter::letter(char c) {
  crc_ = crc16(crc_, static_cast<uint8_t>(c));
  uart_put(static_cast<uint8_t>(c));
}

void FrameWriter::digits(uint32_t low, uint16_t high) {
  uint8_t bytes[kBytes] = {static_cast<uint8_t>(high >> 8), static_cast<uint8_t>(high),
                           static_cast<uint8_t>(low >> 24), static_cast<uint8_t>(low >> 16),
                           static_cast<uint8_t>(low >> 8),  static_cast<uint8_t>(low)};
  char text[kDigits];
  uint8_t first = kDigits;
  bool more = true;
  while (more && first > 0) {
    text[--first] = static_cast<char>('0' + divide_by_ten(bytes));
    more = false;
    for (uint8_t i = 0; i < kBytes; ++i) more = more || bytes[i] != 0;
  }
  for (; first < kDigits; ++first) letter(text[first]);
}

void FrameWriter::count(uint32_t low, uint16_t high) {
  letter(' ');
  digits(low, high);
}

void FrameWriter::number(int32_t value) {
  letter(' ');
  if (value < 0) letter('-');
  if (value == kUnknown) return;
  digits(static_cast<uint32_t>(value < 0 ? -value : value), 0);
}

void FrameWriter::begin(char type, uint16_t seq, uint16_t session) {
  crc_ = kCrcStart;
  letter(type);
  count(seq);
  count(session);
}

void FrameWriter::end() {
  const uint16_t crc = crc_;
  letter(' ');
  letter('*');
  for (uint8_t shift = 16; shift > 0;) {
    shift = static_cast<uint8_t>(shift - 4);
    const uint8_t digit = static_cast<uint8_t>(crc >> shift & 0xF);
    letter(static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10));
  }
  letter('\n');
}

void FrameWriter::spoil() {
  uart_put('!');
  uart_put('\n');
}

}  // namespace loadcenter
