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

bool Energy::set(uint32_t low, uint32_t high) {
  for (uint8_t at = 0; at < kBytes; ++at) {
    uint32_t& half = at < kBytes / 2 ? low : high;
    bytes[at] = static_cast<uint8_t>(half);
    half >>= 8;
  }
  return low == 0 && high == 0;
}

}  // namespace loadcenter
