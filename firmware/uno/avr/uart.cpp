// The serial line: 57,600 baud, a ring for each direction.
#include <avr/interrupt.h>
#include <avr/io.h>

#include "../core/ports.hpp"
#include "machine.hpp"

// The ATmega2560 has four of them and numbers their vectors.
#if defined(USART0_RX_vect)
#define LOADCENTER_RECEIVED_VECTOR USART0_RX_vect
#define LOADCENTER_SEND_VECTOR USART0_UDRE_vect
#else
#define LOADCENTER_RECEIVED_VECTOR USART_RX_vect
#define LOADCENTER_SEND_VECTOR USART_UDRE_vect
#endif

namespace loadcenter {
namespace {

constexpr uint8_t kReceived = 64;  // 11 ms of the line: a pass begins at the latest every 10 ms
constexpr uint8_t kToSend = 32;
constexpr uint32_t kBaud = 57600;
static_assert((kReceived & (kReceived - 1)) == 0 && (kToSend & (kToSend - 1)) == 0,
              "the rings roll over by a mask");

uint8_t received_[kReceived];
volatile uint8_t received_at_;  // where the next byte comes to
uint8_t taken_at_;
uint8_t to_send_[kToSend];
uint8_t put_at_;
volatile uint8_t sent_at_;
volatile uint16_t lost_;

}  // namespace

void begin_uart() {
  constexpr uint16_t kDivisor = static_cast<uint16_t>((F_CPU / 4 / kBaud + 1) / 2 - 1);  // 57,143: 0.8 % slow
  UBRR0 = kDivisor;
  UCSR0A = _BV(U2X0);
  UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

int16_t uart_take() {
  if (taken_at_ == received_at_) {
    return -1;
  }
  const uint8_t byte = received_[taken_at_];
  taken_at_ = (taken_at_ + 1) & (kReceived - 1);
  return byte;
}

uint8_t uart_room() { return static_cast<uint8_t>((sent_at_ - put_at_ - 1) & (kToSend - 1)); }

void uart_put(uint8_t byte) {
  to_send_[put_at_] = byte;
  put_at_ = (put_at_ + 1) & (kToSend - 1);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0) | _BV(UDRIE0);
}

uint16_t uart_lost() {
  const Critical critical;
  return lost_;
}

}  // namespace loadcenter

using namespace loadcenter;

ISR(LOADCENTER_RECEIVED_VECTOR) {
  const bool overrun = (UCSR0A & _BV(DOR0)) != 0;
  const uint8_t byte = UDR0;
  const uint8_t next = (received_at_ + 1) & (kReceived - 1);
  if (overrun || next == taken_at_) {
    lost_ = static_cast<uint16_t>(lost_ + 1);
  }
  if (next != taken_at_) {
    received_[received_at_] = byte;
    received_at_ = next;
  }
}

ISR(LOADCENTER_SEND_VECTOR) {
  const uint8_t at = sent_at_;
  UDR0 = to_send_[at];
  sent_at_ = (at + 1) & (kToSend - 1);
  if (sent_at_ == put_at_) {
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
  }
}
