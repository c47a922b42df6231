// A pin of board.h as registers. All of it folds to single instructions: the pins are constants.
#pragma once

#include <avr/io.h>

#include "../board.h"

// Only where the pin is known does the switch below go away.
#define LOADCENTER_FOLDED __attribute__((always_inline))

namespace loadcenter {

struct Registers {
  volatile uint8_t* in;
  volatile uint8_t* direction;
  volatile uint8_t* out;
};

LOADCENTER_FOLDED inline Registers registers_of(char port) {
  switch (port) {
#if defined(PORTA)
    case 'A':
      return {&PINA, &DDRA, &PORTA};
#endif
    case 'B':
      return {&PINB, &DDRB, &PORTB};
    case 'C':
      return {&PINC, &DDRC, &PORTC};
#if defined(PORTE)
    case 'E':
      return {&PINE, &DDRE, &PORTE};
#endif
    default:
      return {&PIND, &DDRD, &PORTD};
  }
}

LOADCENTER_FOLDED inline void write_pin(board::Pin pin, bool high) {
  volatile uint8_t& out = *registers_of(pin.port).out;
  const uint8_t mask = static_cast<uint8_t>(1U << pin.bit);
  out = high ? static_cast<uint8_t>(out | mask) : static_cast<uint8_t>(out & ~mask);
}

LOADCENTER_FOLDED inline bool is_high(board::Pin pin) {
  return (*registers_of(pin.port).in & 1U << pin.bit) != 0;
}

LOADCENTER_FOLDED inline void make_output(board::Pin pin) {
  volatile uint8_t& direction = *registers_of(pin.port).direction;
  direction = static_cast<uint8_t>(direction | 1U << pin.bit);
}

}  // namespace loadcenter
