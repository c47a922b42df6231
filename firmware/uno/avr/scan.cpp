#include "scan.hpp"

#include <avr/interrupt.h>
#include <avr/io.h>

#include "../core/critical.hpp"
#include "../core/scanning.hpp"
#include "coils.hpp"
#include "pins.hpp"

namespace loadcenter {

Sampler sampler;
Relays relays;

namespace {

constexpr uint8_t kIdle = 0xff;
constexpr uint8_t kAvcc = _BV(REFS0);
constexpr uint8_t kPrescaler64 = _BV(ADPS2) | _BV(ADPS1);
constexpr uint8_t kConvert = _BV(ADEN) | _BV(ADSC) | _BV(ADIE) | kPrescaler64;

constexpr uint16_t kLatestHold = board::kScanCycles - 300;  // so that the next scan is hardly late

volatile uint8_t slot_ = kIdle;
bool due_;
volatile uint16_t late_;

static_assert(board::kSourceChannel[0] == kOutlets && board::kSourceChannel[1] == kOutlets + 1,
              "the sampler's channels are those of the ADC");

inline void select(uint8_t channel) {
#if defined(MUX5)
  ADCSRB = channel != Sampler::kBandGap && channel >= 8 ? _BV(MUX5) : 0;
  ADMUX = channel == Sampler::kBandGap ? kAvcc | 0x1e : static_cast<uint8_t>(kAvcc | (channel & 7));
#else
  ADMUX = static_cast<uint8_t>(kAvcc | (channel == Sampler::kBandGap ? 0x0e : channel));
#endif
}

}  // namespace

void begin_scans() {
  relays.drive(sampler.drives);
  write_coils(relays.coils);
  DIDR0 = 0x3f;  // the inputs are analogue
  // The first conversion of the ADC takes twice as long: not in a scan.
  ADCSRA = _BV(ADEN) | _BV(ADSC) | kPrescaler64;
  while ((ADCSRA & _BV(ADSC)) != 0) {
  }
  select(sampler.channel(0));
  ADCSRA = _BV(ADEN) | _BV(ADIF) | kPrescaler64;
  OCR1A = board::kScanCycles - 1;
  TCCR1A = 0;
  TCCR1B = _BV(WGM12) | _BV(CS10);
  TIMSK1 = _BV(OCIE1A);
}

// Where no scan ever ends, the watchdog does.
uint8_t hold_between_scans() {
  for (;;) {
    const uint8_t held = hold_interrupts();
    if (slot_ == kIdle && TCNT1 < kLatestHold) {
      return held;
    }
    release_interrupts(held);
  }
}

uint16_t late_scans() {
  const Critical critical;
  return late_;
}

}  // namespace loadcenter

using namespace loadcenter;

ISR(TIMER1_COMPA_vect) {
  if (slot_ != kIdle) {
    // The main pass has held interrupts off while a conversion ended. This scan begins as soon as the last
    // one is done: later, but none is left out.
    due_ = true;
    late_ = static_cast<uint16_t>(late_ + 1);
    return;
  }
  slot_ = 0;
  ADCSRA = kConvert;
}

ISR(ADC_vect) {
  const uint16_t raw = ADC;
  const uint8_t done = slot_;
  const uint8_t next = static_cast<uint8_t>(done + 1);
  if (next < kSlots) {
    select(sampler.channel(next));
    ADCSRA = kConvert;
    slot_ = next;
  }
  bool moved = sampler.take(done, raw) != kActNone;
  if (next == kSlots) {
    sampler.end_scan(is_high(board::kLive) != board::kLiveActiveLow);
    select(sampler.channel(0));
    if (due_) {
      due_ = false;
      slot_ = 0;
      ADCSRA = kConvert;
    } else {
      slot_ = kIdle;
    }
    moved = relays.tick() || moved;
  }
  if (moved) {
    relays.drive(sampler.drives);
    write_coils(relays.coils);
  }
}
