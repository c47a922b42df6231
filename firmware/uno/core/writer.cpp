#include "writer.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

const char kMain[] LOADCENTER_FLASH = "main";
const char kBackup[] LOADCENTER_FLASH = "backup";

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

void FrameWriter::letters(const char* flash) {
  for (uint8_t c = flash_u8(flash); c != 0; c = flash_u8(++flash)) letter(static_cast<char>(c));
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

void FrameWriter::value(int32_t value) {
  if (value < 0) letter('-');
  if (value == kUnknown) return;
  const uint32_t magnitude = value < 0 ? 0U - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
  digits(magnitude);
}

void FrameWriter::begin(char type, uint16_t seq, uint16_t session) {
  crc_ = kCrcStart;
  letter(type);
  letter(' ');
  digits(seq);
  letter(' ');
  digits(session);
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

void FrameWriter::name(const char* key, uint8_t of) {
  letter(' ');
  letters(key);
  if (of != 0) {
    letter('.');
    digits(of);
  }
  letter('=');
}

void FrameWriter::name_of_source(const char* key, Source source) {
  letter(' ');
  letters(key);
  letter('.');
  letters(source == Source::kMain ? kMain : kBackup);
  letter('=');
}

void FrameWriter::number(const char* key, uint8_t of, int32_t number) {
  name(key, of);
  value(number);
}

void FrameWriter::word(const char* key, uint8_t of, const char* word) {
  name(key, of);
  if (word == nullptr) {
    letter('-');
  } else {
    letters(word);
  }
}

}  // namespace loadcenter
