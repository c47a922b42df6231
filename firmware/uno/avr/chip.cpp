// Interrupts, sleep and chance.
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "../core/ports.hpp"
#include "machine.hpp"

namespace loadcenter {
namespace {

constexpr uint8_t kConversions = 64;  // 7 ms: each gives a bit or less of chance

uint16_t noise_ __attribute__((section(".noinit")));  // what RAM held, or what was drawn before: more chance

}  // namespace

uint8_t hold_interrupts() {
  const uint8_t held = SREG;
  cli();
  return held;
}

void release_interrupts(uint8_t held) { SREG = held; }

void sleep_until_interrupt() {
  SMCR = _BV(SE);  // idle: timer, ADC and UART go on
  sleep_cpu();
  SMCR = 0;
}

void draw_noise() {
  ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1);
  for (uint8_t left = kConversions; left != 0; --left) {
    ADMUX = static_cast<uint8_t>(_BV(REFS0) | (left & 3));
    ADCSRA |= _BV(ADSC);
    while ((ADCSRA & _BV(ADSC)) != 0) {
    }
    noise_ = static_cast<uint16_t>(((noise_ << 3) | (noise_ >> 13)) ^ ADC ^ (ADC << 9));
  }
}

uint16_t session_noise() { return noise_; }

}  // namespace loadcenter
