#include "energy.hpp"

namespace loadcenter {

uint32_t Energy::low_mwh() const {
  uint32_t value = 0;
  for (uint8_t at = 4; at-- > 0;) value = value << 8 | bytes[at];
  return value;
}

void Energy::add(uint32_t mwh) {
  uint16_t carry = 0;
  for (uint8_t& byte : bytes) {
    carry = static_cast<uint16_t>(carry + byte + static_cast<uint8_t>(mwh));
    byte = static_cast<uint8_t>(carry);
    carry = static_cast<uint16_t>(carry >> 8);
    mwh >>= 8;
  }
}

bool Energy::operator>(const Energy& other) const {
  for (uint8_t at = kBytes; at-- > 0;) {
    if (bytes[at] != other.bytes[at]) return bytes[at] > other.bytes[at];
  }
  return false;
}

bool Energy::read(Text text) {
  if (text.length == 0 || (text.length > 1 && text.start[0] == '0')) return false;
  *this = {};
  for (uint8_t i = 0; i < text.length; ++i) {
    uint16_t carry = static_cast<uint8_t>(text.start[i] - '0');
    if (carry > 9) return false;
    for (uint8_t& byte : bytes) {
      carry = static_cast<uint16_t>(carry + byte * 10);
      byte = static_cast<uint8_t>(carry);
      carry = static_cast<uint16_t>(carry >> 8);
    }
    if (carry != 0) return false;
  }
  return true;
}

}  // namespace loadcenter
