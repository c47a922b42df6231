// The frames that the PDU sends: which field comes when. Each call writes one field and says whether more are
// to come.
#include "identity.hpp"
#include "joined.hpp"
#include "link.hpp"
#include "ports.hpp"

namespace loadcenter {

namespace {

struct ReadingRow {
  const char* key;    // in flash
  const char* words;  // in flash; nullptr for a number
  Reading what;
};

#define LOADCENTER_KEY(name, text) const char name[] LOADCENTER_FLASH = text
LOADCENTER_KEY(kUpMsKey, "up_ms");
LOADCENTER_KEY(kCodeKey, "code");
LOADCENTER_KEY(kOutKey, "out");
LOADCENTER_KEY(kSrcKey, "src");
LOADCENTER_KEY(kCauseKey, "cause");
LOADCENTER_KEY(kBecauseKey, "because");
LOADCENTER_KEY(kStatusKey, "status");
LOADCENTER_KEY(kSettingKey, "setting");
LOADCENTER_KEY(kSettingsKey, "settings");
LOADCENTER_KEY(kThrownKey, "thrown");
LOADCENTER_KEY(kUnknownKey, "unknown");
LOADCENTER_KEY(kLostKey, "lost");
LOADCENTER_KEY(kDroppedKey, "dropped");
LOADCENTER_KEY(kEnergyMwhKey, "e_mwh");
LOADCENTER_KEY(kActiveKey, "active");
LOADCENTER_KEY(kLiveKey, "live");
LOADCENTER_KEY(kIsolatorKey, "isolator");
LOADCENTER_KEY(kLockoutKey, "lockout");
LOADCENTER_KEY(kCpuKey, "cpu_permille");
LOADCENTER_KEY(kLateKey, "late_us");
LOADCENTER_KEY(kFreeKey, "free_b");
LOADCENTER_KEY(kVoltageKey, "v_mv");
LOADCENTER_KEY(kFrequencyKey, "f_mhz");
LOADCENTER_KEY(kGradeKey, "grade");
LOADCENTER_KEY(kOnKey, "on");
LOADCENTER_KEY(kTripKey, "trip");
LOADCENTER_KEY(kLockKey, "lock");
LOADCENTER_KEY(kCurrentKey, "i_ma");
LOADCENTER_KEY(kPowerKey, "p_mw");
LOADCENTER_KEY(kVersionKey, "v");
LOADCENTER_KEY(kModelKey, "model");
LOADCENTER_KEY(kModelText, "LC-");
LOADCENTER_KEY(kFirmwareKey, "fw");
LOADCENTER_KEY(kFirmwareText, LOADCENTER_FIRMWARE);
LOADCENTER_KEY(kOutletsKey, "outlets");
LOADCENTER_KEY(kNominalMvKey, "nominal_mv");
LOADCENTER_KEY(kNominalMhzKey, "nominal_mhz");
LOADCENTER_KEY(kOutletMaKey, "outlet_ma");
LOADCENTER_KEY(kTotalMaKey, "total_ma");
LOADCENTER_KEY(kResetsKey, "resets");
LOADCENTER_KEY(kTakenKey, "n");
LOADCENTER_KEY(kDataKey, "data");
LOADCENTER_KEY(kGradeWords, "bad\0usable\0good\0");
LOADCENTER_KEY(kSourceWords, "main\0backup\0");
LOADCENTER_KEY(kStatusWords, "accepted\0confirmed\0rejected\0");
#undef LOADCENTER_KEY

const ReadingRow kPduReadings[] LOADCENTER_FLASH = {
    {kActiveKey, kSourceWords, Reading::kActive}, {kLiveKey, nullptr, Reading::kLive},
    {kIsolatorKey, nullptr, Reading::kIsolator},  {kLockoutKey, nullptr, Reading::kLockout},
    {kCpuKey, nullptr, Reading::kCpuPermille},    {kLateKey, nullptr, Reading::kLateUs},
    {kFreeKey, nullptr, Reading::kFreeBytes},
};
const ReadingRow kSourceReadings[] LOADCENTER_FLASH = {
    {kVoltageKey, nullptr, Reading::kVoltageMv},
    {kFrequencyKey, nullptr, Reading::kFrequencyMhz},
    {kGradeKey, kGradeWords, Reading::kGrade},
};
const ReadingRow kOutletReadings[] LOADCENTER_FLASH = {
    {kOnKey, nullptr, Reading::kOn},
    {kCauseKey, nullptr, Reading::kCause},
    {kTripKey, nullptr, Reading::kTrip},
    {kLockKey, nullptr, Reading::kLocked},
    {kCurrentKey, nullptr, Reading::kCurrentMa},
    {kPowerKey, nullptr, Reading::kPowerMw},
};

constexpr uint8_t kOfPdu = sizeof kPduReadings / sizeof kPduReadings[0];
constexpr uint8_t kOfSource = sizeof kSourceReadings / sizeof kSourceReadings[0];
constexpr uint8_t kOfOutlet = sizeof kOutletReadings / sizeof kOutletReadings[0];
constexpr uint8_t kOwn = 6;  // what the line tells of itself, in front of the readings
constexpr uint8_t kFirstSource = kOwn + kOfPdu;
constexpr uint8_t kFirstOutlet = kFirstSource + kSources * kOfSource;
constexpr uint8_t kOutletFields = kOfOutlet + 1;  // and the energy counter
constexpr uint8_t kTelemetryFields = kFirstOutlet + kOutlets * kOutletFields;

// Writes a reading behind its name, which the caller has written.
void write_reading(FrameWriter& writer, const ReadingRow& row, uint8_t of) {
  const int32_t value = reading(static_cast<Reading>(flash_u8(&row.what)), of);
  const char* words = flash_text(&row.words);
  const char* word = words == nullptr ? nullptr : word_at(words, static_cast<uint8_t>(value));
  if (value != kUnknown && word != nullptr) {
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

bool Link::hello_field(const Records& records) {
  switch (field_) {
    case 0:
      begin_frame('H', ++sent_);
      writer_.number(kVersionKey, 0, kContract);
      break;
    case 1:
      writer_.name(kModelKey, 0);
      writer_.letters(kModelText);
      writer_.digits(kOutlets);
      break;
    case 2:
      writer_.word(kFirmwareKey, 0, kFirmwareText);
      break;
    case 3:
      writer_.number(kOutletsKey, 0, kOutlets);
      break;
    case 4:
      writer_.number(kNominalMvKey, 0, board::kNominalMv);
      break;
    case 5:
      writer_.number(kNominalMhzKey, 0, board::kNominalMhz);
      break;
    case 6:
      writer_.number(kOutletMaKey, 0, board::kOutletRatingMa);
      break;
    case 7:
      writer_.number(kTotalMaKey, 0, board::kChangeoverRatingMa);
      break;
    case 8:
      writer_.number(kResetsKey, 0, records.counters.starts());
      break;
    case 9:
      writer_.number(kCauseKey, 0, reset_cause());
      break;
    case 10:
      writer_.number(kTakenKey, 0, commands_.last());
      break;
    default:
      return false;
  }
  return true;
}

bool Link::telemetry_field(const Records& records) {
  switch (field_) {
    case 0:
      begin_frame('T', ++sent_);
      writer_.count(kUpMsKey, 0, clock_ms());
      return true;
    case 1:
      writer_.number(kSettingsKey, 0, static_cast<int32_t>(records.settings.version));
      return true;
    case 2:
      writer_.number(kThrownKey, 0, thrown_);
      return true;
    case 3:
      writer_.number(kUnknownKey, 0, unknown_);
      return true;
    case 4:
      writer_.number(kLostKey, 0, uart_lost());
      return true;
    case 5:
      writer_.number(kDroppedKey, 0, events_.dropped());
      return true;
    default:
      break;
  }
  if (field_ < kFirstSource) {
    const ReadingRow& row = kPduReadings[field_ - kOwn];
    writer_.name(flash_text(&row.key), 0);
    write_reading(writer_, row, 0);
    return true;
  }
  if (field_ < kFirstOutlet) {
    const uint8_t in_sources = static_cast<uint8_t>(field_ - kFirstSource);
    const Source source = static_cast<Source>(in_sources / kOfSource);
    const ReadingRow& row = kSourceReadings[in_sources % kOfSource];
    writer_.name_of_source(flash_text(&row.key), source);
    write_reading(writer_, row, index(source));
    return true;
  }
  if (field_ >= kTelemetryFields) return false;
  const uint8_t in_outlets = static_cast<uint8_t>(field_ - kFirstOutlet);
  const uint8_t outlet = static_cast<uint8_t>(in_outlets / kOutletFields + 1);
  const uint8_t which = static_cast<uint8_t>(in_outlets % kOutletFields);
  if (which == kOfOutlet) {
    const Energy& energy = records.counters.energy(outlet);
    writer_.count(kEnergyMwhKey, outlet, energy.low_mwh(), energy.high());
    return true;
  }
  const ReadingRow& row = kOutletReadings[which];
  writer_.name(flash_text(&row.key), outlet);
  write_reading(writer_, row, outlet);
  return true;
}

bool Link::event_field() {
  Event event;
  events_.front(event);
  switch (field_) {
    case 0:
      begin_frame('E', event_seq_);
      writer_.count(kUpMsKey, 0, event.at_ms);
      return true;
    case 1:
      writer_.number(kCodeKey, 0, event.code);
      return true;
    case 2:
      if (event.outlet != 0) writer_.number(kOutKey, 0, event.outlet);
      return true;
    case 3:
      if (event.source != 0)
        writer_.word(kSrcKey, 0, word_at(kSourceWords, static_cast<uint8_t>(event.source - 1)));
      return true;
    case 4:
      if (event.cause != 0) writer_.number(kCauseKey, 0, event.cause);
      return true;
    case 5:
      if (event.because != 0) writer_.count(kBecauseKey, 0, event_before(event_seq_, event.because));
      return true;
    default:
      break;
  }
  constexpr uint8_t kHead = 6;
  const uint8_t which = static_cast<uint8_t>(field_ - kHead);
  if (which >= event.count) return false;
  if (which == 0) {
    writer_.name(kDataKey, 0);
  } else {
    writer_.letter(',');
  }
  writer_.value(event.number[which]);
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
