// Products of 16-bit values. The compiler calls a routine of 40 cycles for each; the interrupt has some 30 of
// them in a scan, so on the AVR they are written out: 18 and 13 cycles.
#pragma once

#include <stdint.h>

namespace loadcenter {

__attribute__((always_inline)) inline int32_t multiply(int16_t a, int16_t b) {
#ifdef __AVR__
  int32_t product;
  uint8_t zero;
  asm("clr %1\n\tmuls %B2, %B3\n\tmovw %C0, r0\n\tmul %A2, %A3\n\tmovw %A0, r0\n\t"
      "mulsu %B2, %A3\n\tsbc %D0, %1\n\tadd %B0, r0\n\tadc %C0, r1\n\tadc %D0, %1\n\t"
      "mulsu %B3, %A2\n\tsbc %D0, %1\n\tadd %B0, r0\n\tadc %C0, r1\n\tadc %D0, %1\n\tclr r1"
      : "=&r"(product), "=&r"(zero)
      : "a"(a), "a"(b));
  return product;
#else
  return static_cast<int32_t>(a) * b;
#endif
}

__attribute__((always_inline)) inline uint32_t square(uint16_t a) {
#ifdef __AVR__
  uint32_t product;
  uint8_t zero;
  asm("clr %1\n\tmul %A2, %A2\n\tmovw %A0, r0\n\tmul %B2, %B2\n\tmovw %C0, r0\n\tmul %A2, %B2\n\t"
      "add %B0, r0\n\tadc %C0, r1\n\tadc %D0, %1\n\tadd %B0, r0\n\tadc %C0, r1\n\tadc %D0, %1\n\tclr r1"
      : "=&r"(product), "=&r"(zero)
      : "r"(a));
  return product;
#else
  return static_cast<uint32_t>(a) * a;
#endif
}

}  // namespace loadcenter
