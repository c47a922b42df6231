// Square roots and products for the main pass. No 64-bit division, and one 64-bit product for all.
#pragma once

#include <stdint.h>

namespace loadcenter {

// Returns the whole part of the square root.
uint16_t root32(uint32_t square);

// Returns the root of a square in 256ths, in 2^20ths; good to 1 part in 16,000.
uint32_t root_q20(uint32_t square_q8);

// Returns value * fraction / 2^32.
#ifdef __AVR__
// The routine of the compiler for a product of 64 bits leaves its upper half where a result of 32 bits is
// expected.
uint32_t part(uint32_t value, uint32_t fraction) __asm__("__umulsidi3");
#else
uint32_t part(uint32_t value, uint32_t fraction);
#endif

// A constant below 1 as `part` takes it.
constexpr uint32_t fraction(double value) { return static_cast<uint32_t>(value * 4294967296.0 + 0.5); }

}  // namespace loadcenter
