// The player on an ATmega328P: lines on the serial line at 57,600 baud, where whoever plays waits for each
// answer.
#include <avr/io.h>
#include <avr/pgmspace.h>

#include "player.hpp"

namespace loadcenter {

uint8_t flash_u8(const void* address) { return pgm_read_byte(address); }
uint16_t flash_u16(const void* address) { return pgm_read_word(address); }

void put_byte(char byte) {
  while ((UCSR0A & _BV(UDRE0)) == 0) {
  }
  UDR0 = static_cast<uint8_t>(byte);
}

uint16_t cycle_count() { return TCNT1; }

}  // namespace loadcenter

int main() {
  UBRR0 = F_CPU / 8 / 57600 - 1;
  UCSR0A = _BV(U2X0);
  UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0);
  TCCR1B = _BV(CS10);
  loadcenter::player.begin();
  for (;;) {
    if ((UCSR0A & _BV(RXC0)) != 0) loadcenter::player.take(static_cast<char>(UDR0));
  }
}
