#include "words.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

const char* behind(const char* flash) {
  while (flash_u8(flash) != 0) ++flash;
  return flash + 1;
}

}  // namespace

const char* flash_text(const char* const* pointer) {
#ifdef __AVR__
  return reinterpret_cast<const char*>(flash_u16(pointer));
#else
  return *pointer;
#endif
}

bool same(Text text, const char* flash) {
  for (uint8_t i = 0; i < text.length; ++i) {
    if (flash_u8(flash + i) != static_cast<uint8_t>(text.start[i])) return false;
  }
  return flash_u8(flash + text.length) == 0;
}

const char* word_at(const char* list, uint8_t position) {
  for (; flash_u8(list) != 0; list = behind(list), --position) {
    if (position == 0) return list;
  }
  return nullptr;
}

int16_t position_of(const char* list, Text text) {
  for (uint8_t position = 0; flash_u8(list) != 0; list = behind(list), ++position) {
    if (same(text, list)) return position;
  }
  return -1;
}

bool to_number(Text text, uint32_t& number) {
  constexpr uint32_t kTenth = UINT32_MAX / 10;
  if (text.length == 0 || (text.length > 1 && text.start[0] == '0')) return false;
  number = 0;
  for (uint8_t i = 0; i < text.length; ++i) {
    const uint8_t digit = static_cast<uint8_t>(text.start[i] - '0');
    if (digit > 9 || number > kTenth || (number == kTenth && digit > UINT32_MAX % 10)) return false;
    number = number * 10 + digit;
  }
  return true;
}

}  // namespace loadcenter
