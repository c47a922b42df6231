// The frames that the PDU sends: which field comes when. Each call writes one field and says whether more are
// to come.
#include "identity.hpp"
#include "joined.hpp"
#include "link.hpp"
#include "ports.hpp"

namespace loadcenter {

namespace {

// Keys in the order in which they are sent, each with a NUL. Those of readings have the order of `Reading`.
const char kPduKeys[] LOADCENTER_FLASH =
    "up_ms\0settings\0thrown\0unknown\0lost\0dropped\0"
    "active\0live\0isolator\0lockout\0cpu_permille\0late_us\0free_b\0";
const char kSourceKeys[] LOADCENTER_FLASH = "v_mv\0f_mhz\0grade\0";
const char kOutletKeys[] LOADCENTER_FLASH = "on\0cause\0trip\0lock\0i_ma\0p_mw\0e_mwh\0";
const char kHelloKeys[] LOADCENTER_FLASH =
    "v\0outlets\0nominal_mv\0nominal_mhz\0outlet_ma\0total_ma\0resets\0cause\0n\0";
const char kEventKeys[] LOADCENTER_FLASH = "up_ms\0code\0out\0src\0cause\0because\0data\0";
const char kStatusKey[] LOADCENTER_FLASH = "status";
const char kCodeKey[] LOADCENTER_FLASH = "code";
const char kSettingKey[] LOADCENTER_FLASH = "setting";
const char kModelKey[] LOADCENTER_FLASH = "model";
const char kModelText[] LOADCENTER_FLASH = "LC-";
const char kFirmwareKey[] LOADCENTER_FLASH = "fw";
const char kFirmwareText[] LOADCENTER_FLASH = LOADCENTER_FIRMWARE;

const char kGradeWords[] LOADCENTER_FLASH = "bad\0usable\0good\0";
const char kSourceWords[] LOADCENTER_FLASH = "main\0backup\0";
const char kStatusWords[] LOADCENTER_FLASH = "accepted\0confirmed\0rejected\0";

constexpr uint8_t kOwn = 6;  // what the line tells of itself, in front of the readings
constexpr uint8_t kOfPdu = static_cast<uint8_t>(Reading::kVoltageMv);
constexpr uint8_t kOfSource = static_cast<uint8_t>(Reading::kOn) - kOfPdu;
constexpr uint8_t kOfOutlet = static_cast<uint8_t>(Reading::kPowerMw) + 1 - kOfPdu - kOfSource;
constexpr uint8_t kFirstSource = kOwn + kOfPdu;
constexpr uint8_t kFirstOutlet = kFirstSource + kSources * kOfSource;
constexpr uint8_t kOutletFields = kOfOutlet + 1;  // and the energy counter
constexpr uint8_t kTelemetryFields = kFirstOutlet + kOutlets * kOutletFields;
constexpr uint8_t kHelloNumbers = 9;

// Writes a reading behind its name, which the caller has written.
void write_reading(FrameWriter& writer, uint8_t which, uint8_t of) {
  const Reading what = static_cast<Reading>(which);
  const int32_t value = reading(what, of);
  const bool of_words = what == Reading::kActive || what == Reading::kGrade;
  const char* words = what == Reading::kActive ? kSourceWords : kGradeWords;
  const char* word = of_words && value >= 0 ? word_at(words, static_cast<uint8_t>(value)) : nullptr;
  if (word != nullptr) {
    writer.letters(word);
  } else {
    writer.value(value);
  }
}

// Returns the number of the event that stands `back` before `seq`; there is no number 0.
uint16_t event_before(uint16_t seq, uint8_t back) {
  return static_cast<uint16_t>(seq > back ? seq - back : UINT16_MAX - (back - seq));
}

}  // namespace

int32_t Link::hello_number(uint8_t which, const Records& records) const {
  switch (which) {
    case 0:
      return kContract;
    case 1:
      return kOutlets;
    case 2:
      return board::kNominalMv;
    case 3:
      return board::kNominalMhz;
    case 4:
      return board::kOutletRatingMa;
    case 5:
      return board::kChangeoverRatingMa;
    case 6:
      return records.counters.starts();
    case 7:
      return reset_cause();
    default:
      return commands_.last();
  }
}

bool Link::hello_field(const Records& records) {
  if (field_ == 0) begin_frame('H', ++sent_);
  if (field_ < kHelloNumbers) {
    writer_.number(word_at(kHelloKeys, field_), 0, hello_number(field_, records));
  } else if (field_ == kHelloNumbers) {
    writer_.name(kModelKey, 0);
    writer_.letters(kModelText);
    writer_.digits(kOutlets);
  } else if (field_ == kHelloNumbers + 1) {
    writer_.word(kFirmwareKey, 0, kFirmwareText);
  } else {
    return false;
  }
  return true;
}

// Returns what the line tells of itself.
uint32_t Link::own_number(uint8_t which, const Records& records) const {
  switch (which) {
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
  if (field_ == 0) begin_frame('T', ++sent_);
  if (field_ < kFirstSource) {
    writer_.name(word_at(kPduKeys, field_), 0);
    if (field_ < kOwn) {
      writer_.digits(own_number(field_, records));
    } else {
      write_reading(writer_, static_cast<uint8_t>(field_ - kOwn), 0);
    }
    return true;
  }
  if (field_ < kFirstOutlet) {
    const uint8_t in_sources = static_cast<uint8_t>(field_ - kFirstSource);
    const Source source = static_cast<Source>(in_sources / kOfSource);
    const uint8_t which = static_cast<uint8_t>(in_sources % kOfSource);
    writer_.name_of_source(word_at(kSourceKeys, which), source);
    write_reading(writer_, static_cast<uint8_t>(kOfPdu + which), index(source));
    return true;
  }
  if (field_ >= kTelemetryFields) return false;
  const uint8_t in_outlets = static_cast<uint8_t>(field_ - kFirstOutlet);
  const uint8_t outlet = static_cast<uint8_t>(in_outlets / kOutletFields + 1);
  const uint8_t which = static_cast<uint8_t>(in_outlets % kOutletFields);
  writer_.name(word_at(kOutletKeys, which), outlet);
  if (which < kOfOutlet) {
    write_reading(writer_, static_cast<uint8_t>(kOfPdu + kOfSource + which), outlet);
  } else {
    const Energy& energy = records.counters.energy(outlet);
    writer_.digits(energy.low_mwh(), energy.high());
  }
  return true;
}

bool Link::event_field() {
  Event event;
  events_.front(event);
  if (field_ == 0) begin_frame('E', event_seq_);
  constexpr uint8_t kHead = 6;
  uint32_t number = 0;
  switch (field_) {
    case 0:
      number = event.at_ms;
      break;
    case 1:
      number = event.code;
      break;
    case 2:
      number = event.outlet;
      break;
    case 3:
      if (event.source == 0) return true;
      writer_.word(word_at(kEventKeys, field_), 0,
                   word_at(kSourceWords, static_cast<uint8_t>(event.source - 1)));
      return true;
    case 4:
      number = event.cause;
      break;
    case 5:
      if (event.because != 0) number = event_before(event_seq_, event.because);
      break;
    default: {
      const uint8_t which = static_cast<uint8_t>(field_ - kHead);
      if (which >= event.count) return false;
      if (which == 0) {
        writer_.name(word_at(kEventKeys, kHead), 0);
      } else {
        writer_.letter(',');
      }
      writer_.value(event.number[which]);
      return true;
    }
  }
  // What is 0 behind time and code is absent.
  if (field_ < 2 || number != 0) {
    writer_.name(word_at(kEventKeys, field_), 0);
    writer_.digits(number);
  }
  return true;
}

bool Link::answer_field() {
  switch (field_) {
    case 0:
      begin_frame('R', answering_.seq);
      writer_.word(kStatusKey, 0,
                   word_at(kStatusWords, static_cast<uint8_t>(static_cast<uint8_t>(answering_.status) - 1)));
      return true;
    case 1:
      writer_.number(kCodeKey, 0, answering_.code);
      return true;
    case 2: {
      const bool refused = answering_.seq == staging_.seq() && staging_.refused_at() != Staging::kNowhere;
      uint8_t outlet = 0;
      if (!refused) return true;
      writer_.word(kSettingKey, 0, setting_name(staging_.refused_at(), outlet));
      if (outlet != 0) {
        writer_.letter('.');
        writer_.digits(outlet);
      }
      return true;
    }
    default:
      return false;
  }
}

}  // namespace loadcenter
