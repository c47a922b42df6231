/* A small program that shows what the emulator does: it answers letters on the serial line.
 *
 * C I 1-4 drive the changeover, the isolator and outlets; c i q w e r release them. a says the six conversions of the
 * last scan, t the level of the bus-live input, p writes the EEPROM (0x10 <- 0x5A) and says how long that took in scans,
 * g reads it, n says a count that a reset does not clear, h hangs, d lets nobody fetch bytes for 3 ms. At the start it
 * says R and the cause. */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdint.h>
#include <util/delay.h>

static volatile uint16_t values[6];
static volatile uint8_t slot, scans;
static uint8_t starts __attribute__((section(".noinit")));

static void start(uint8_t channel) {
  ADMUX = _BV(REFS0) | channel;
  ADCSRA |= _BV(ADSC);
}

ISR(TIMER1_COMPA_vect) {
  slot = 0;
  scans++;
  GPIOR0 = scans;
  start(0);
}

ISR(ADC_vect) {
  values[slot++] = ADC;
  if (slot < 6) start(slot);
}

static void put(uint8_t byte) {
  while (!(UCSR0A & _BV(UDRE0))) {}
  UDR0 = byte;
}

static void put_hex(uint16_t value) {
  for (int8_t shift = 12; shift >= 0; shift -= 4) put("0123456789ABCDEF"[value >> shift & 15]);
}

static void write_eeprom(void) {
  const uint8_t before = scans;
  eeprom_write_byte((uint8_t *)0x10, 0x5A);
  eeprom_busy_wait();
  put_hex((uint8_t)(scans - before));
}

static void answer(uint8_t letter) {
  switch (letter) {
    case 'C': PORTB |= _BV(0); break;
    case 'c': PORTB &= ~_BV(0); break;
    case 'I': PORTB |= _BV(1); break;
    case 'i': PORTB &= ~_BV(1); break;
    case '1': PORTD |= _BV(4); break;
    case 'q': PORTD &= ~_BV(4); break;
    case '2': PORTD |= _BV(5); break;
    case 'w': PORTD &= ~_BV(5); break;
    case '3': PORTD |= _BV(6); break;
    case 'e': PORTD &= ~_BV(6); break;
    case '4': PORTD |= _BV(7); break;
    case 'r': PORTD &= ~_BV(7); break;
    case 'a': for (uint8_t i = 0; i < 6; i++) put_hex(values[i]); break;
    case 't': put(PIND & _BV(2) ? '1' : '0'); break;
    case 'p': write_eeprom(); break;
    case 'g': put_hex(eeprom_read_byte((uint8_t *)0x10)); break;
    case 'n': put_hex(starts); break;
    case 'h': for (;;) {}
    case 'd': _delay_ms(3); break;
    default: put('?');
  }
}

int main(void) {
  const uint8_t cause = MCUSR;
  MCUSR = 0;
  wdt_disable();
  if (cause & _BV(PORF)) starts = 0;
  starts++;
  DDRB |= 3;
  DDRD |= 0xF0;
  UBRR0 = 34; /* 57,143 baud with double speed */
  UCSR0A = _BV(U2X0);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0);
  ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2) | _BV(ADPS1);
  TCCR1B = _BV(WGM12) | _BV(CS10);
  OCR1A = 6399;
  TIMSK1 = _BV(OCIE1A);
  wdt_enable(WDTO_120MS);
  sei();
  put('R');
  put_hex(cause);
  set_sleep_mode(SLEEP_MODE_IDLE);
  for (;;) {
    wdt_reset();
    if (UCSR0A & _BV(RXC0)) answer(UDR0);
    sleep_mode();
  }
}
