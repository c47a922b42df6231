// What happens between reset and main, in the order of the linker's sections: the flags of the reset are
// saved, the watchdog is stopped, RAM is tested and the stack's room is painted.
#include <avr/io.h>
#include <avr/wdt.h>

#include "../board.h"
#include "machine.hpp"

extern uint8_t __heap_start;  // from the linker: behind the variables

namespace loadcenter {
namespace {

constexpr int kPaint = 0xC5;
constexpr int kBroken = 1;  // in GPIOR0, which no reset but a new start clears

// Not cleared at start.
uint8_t flags_ __attribute__((section(".noinit")));

const uint8_t* deepest_ = reinterpret_cast<uint8_t*>(RAMEND + 1);  // that the stack has reached

}  // namespace
}  // namespace loadcenter

// Optiboot clears MCUSR and hands its value on in r2, which nothing else has used so far.
extern "C" __attribute__((naked, used, section(".init0"))) void save_loader_register() {
  asm volatile("out %0, r2" : : "I"(_SFR_IO_ADDR(GPIOR1)));
}

extern "C" __attribute__((naked, used, section(".init3"))) void save_reset_flags() {
  const uint8_t flags = MCUSR;
  loadcenter::flags_ = flags != 0 ? flags : GPIOR1;
  MCUSR = 0;
  wdt_disable();  // after a reset by the watchdog it goes on, at its shortest time
}

#if LOADCENTER_DIAGNOSTICS
// Writes both patterns to each cell and leaves what was in it: .noinit goes over a reset. No stack yet:
// registers only.
extern "C" __attribute__((naked, used, section(".init3"))) void test_ram() {
  asm volatile(
      "out %[flag], __zero_reg__\n\t"
      "ldi r30, lo8(%[start])\n\tldi r31, hi8(%[start])\n"
      "1:\tld r24, Z\n\t"
      "ldi r25, 0x55\n\tst Z, r25\n\tld r26, Z\n\tcp r26, r25\n\tbrne 2f\n\t"
      "ldi r25, 0xaa\n\tst Z, r25\n\tld r26, Z\n\tcp r26, r25\n\tbreq 3f\n"
      "2:\tldi r25, %[broken]\n\tout %[flag], r25\n"
      "3:\tst Z+, r24\n\t"
      "cpi r30, lo8(%[end])\n\tldi r25, hi8(%[end])\n\tcpc r31, r25\n\tbrne 1b"
      :
      : [flag] "I"(_SFR_IO_ADDR(GPIOR0)), [broken] "M"(loadcenter::kBroken), [start] "i"(RAMSTART),
        [end] "i"(RAMEND + 1)
      : "r24", "r25", "r26", "r30", "r31");
}

extern "C" __attribute__((naked, used, section(".init3"))) void paint_stack() {
  asm volatile(
      "ldi r30, lo8(__heap_start)\n\tldi r31, hi8(__heap_start)\n\tldi r24, %[paint]\n"
      "1:\tst Z+, r24\n\t"
      "cpi r30, lo8(%[end])\n\tldi r25, hi8(%[end])\n\tcpc r31, r25\n\tbrne 1b"
      :
      : [paint] "M"(loadcenter::kPaint), [end] "i"(RAMEND + 1)
      : "r24", "r25", "r30", "r31");
}
#endif

namespace loadcenter {

uint8_t reset_flags() { return flags_; }

bool ram_works() { return GPIOR0 != kBroken; }

uint16_t free_bytes() {
  constexpr uint8_t kHole = 32;  // no call leaves so many bytes of its frame untouched
  const volatile uint8_t* byte = deepest_;
  for (uint8_t left = kHole; left != 0 && byte > &__heap_start; --left) {
    --byte;
    if (*byte != kPaint) {
      deepest_ = const_cast<const uint8_t*>(byte);
      left = kHole;
    }
  }
  return static_cast<uint16_t>(deepest_ - &__heap_start);
}

void begin_watchdog() { wdt_enable(WDTO_120MS); }

void feed_watchdog() { wdt_reset(); }

}  // namespace loadcenter
