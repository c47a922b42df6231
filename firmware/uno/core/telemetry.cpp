// The frames that the PDU sends: which number comes when (spec/serial.toml). Each call writes one and says
// whether there was one.
#include "identity.hpp"
#include "joined.hpp"
#include "link.hpp"
#include "ports.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kOwn = 6;  // what the line tells of itself, in front of the readings
constexpr uint8_t kOfPdu = static_cast<uint8_t>(Reading::kVoltageMv);
constexpr uint8_t kOfSource = static_cast<uint8_t>(Reading::kOn) - kOfPdu;
constexpr uint8_t kOfOutlet = static_cast<uint8_t>(Reading::kPowerMw) + 1 - kOfPdu - kOfSource;
constexpr uint8_t kFirstSource = kOwn + kOfPdu;
constexpr uint8_t kFirstOutlet = kFirstSource + kSources * kOfSource;
constexpr uint8_t kOutletFields = kOfOutlet + 1;  // and the energy counter

// Returns the number of the event that stands `back` before `seq`; there is no number 0.
uint16_t event_before(uint16_t seq, uint8_t back) {
  return static_cast<uint16_t>(seq > back ? seq - back : UINT16_MAX - (back - seq));
}

}  // namespace

bool Link::hello_field(const Records& records) {
  int32_t number;
  switch (field_) {
    case 0:
      number = kContract;
      break;
    case 1:
      number = kOutlets;
      break;
    case 2:
      number = board::kNominalMv;
      break;
    case 3:
      number = board::kNominalMhz;
      break;
    case 4:
      number = board::kOutletRatingMa;
      break;
    case 5:
      number = board::kChangeoverRatingMa;
      break;
    case 6:
      number = records.counters.starts();
      break;
    case 7:
      number = reset_cause();
      break;
    case 8:
      number = commands_.last();
      break;
    case 9:
      number = kFirmware;
      break;
    default:
      return false;
  }
  writer_.number(number);
  return true;
}

// Returns what the line tells of itself.
uint32_t Link::own_number(const Records& records) const {
  switch (field_) {
    case 0:
      return clock_ms();
    case 1:
      return records.settings.version;
    case 2:
      return thrown_;
    case 3:
      return unknown_;
    case 4:
      return uart_lost();
    default:
      return events_.dropped();
  }
}

bool Link::telemetry_field(const Records& records) {
  if (field_ < kOwn) {
    writer_.count(own_number(records));
    return true;
  }
  uint8_t which = static_cast<uint8_t>(field_ - kOwn);
  uint8_t of = 0;
  if (field_ >= kFirstOutlet) {
    for (which = static_cast<uint8_t>(field_ - kFirstOutlet), of = 1; which >= kOutletFields; ++of) {
      which = static_cast<uint8_t>(which - kOutletFields);
    }
    if (of > kOutlets) return false;
    if (which == kOfOutlet) {
      const Energy& energy = records.counters.energy(of);
      writer_.count(energy.low_mwh(), energy.high());
      return true;
    }
    which = static_cast<uint8_t>(which + kOfPdu + kOfSource);
  } else if (which >= kOfPdu + kOfSource) {
    which = static_cast<uint8_t>(which - kOfSource);
    of = index(Source::kBackup);
  }
  writer_.number(reading(static_cast<Reading>(which), of));
  return true;
}

bool Link::event_field() {
  Event event;
  events_.front(event);
  constexpr uint8_t kHead = 6;
  if (field_ == 0) {
    writer_.count(event.at_ms);
    return true;
  }
  int32_t number;
  switch (field_) {
    case 1:
      number = event.code;
      break;
    case 2:
      number = event.outlet;
      break;
    case 3:
      number = event.source;
      break;
    case 4:
      number = event.cause;
      break;
    case 5:
      number = event.because == 0 ? 0 : event_before(event_seq_, event.because);
      break;
    default: {
      const uint8_t which = static_cast<uint8_t>(field_ - kHead);
      if (which >= event.count) return false;
      number = event.number[which];
    }
  }
  writer_.number(number);
  return true;
}

bool Link::answer_field() {
  if (field_ >= 2) return false;
  writer_.number(field_ == 0 ? static_cast<uint8_t>(answering_.status) : answering_.code);
  return true;
}

}  // namespace loadcenter
