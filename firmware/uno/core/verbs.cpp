#include "verbs.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

const char kDoField[] LOADCENTER_FLASH = "do";
const char kOutField[] LOADCENTER_FLASH = "out";
const char kOnField[] LOADCENTER_FLASH = "on";
const char kOffMsField[] LOADCENTER_FLASH = "off_ms";
const char kSrcField[] LOADCENTER_FLASH = "src";
const char kEnergyField[] LOADCENTER_FLASH = "e_mwh";
const char kSourceNames[] LOADCENTER_FLASH = "main\0backup\0";

// As in MQTT-40.
constexpr uint32_t kOffMsMin = 1000;
constexpr uint32_t kOffMsMax = 3600000;

// Which fields have been read.
constexpr uint8_t kHasVerb = 1;
constexpr uint8_t kHasOutlet = 2;
constexpr uint8_t kHasOn = 4;
constexpr uint8_t kHasOffMs = 8;
constexpr uint8_t kHasSource = 16;
constexpr uint8_t kHasEnergy = 32;
constexpr uint8_t kBad = 128;  // a field of that name that cannot be read

uint8_t fields_of(Verb verb) {
  switch (verb) {
    case Verb::kSwitch:
    case Verb::kLock:
      return kHasVerb | kHasOutlet | kHasOn;
    case Verb::kCycle:
      return kHasVerb | kHasOutlet | kHasOffMs;
    case Verb::kResetTrip:
      return kHasVerb | kHasOutlet;
    case Verb::kTransfer:
      return kHasVerb | kHasSource;
    case Verb::kClearLockout:
      return kHasVerb;
    case Verb::kEnergy:
      return kHasVerb | kHasOutlet | kHasEnergy;
  }
  return kBad;
}

// Reads a number between two others.
bool between(Text text, uint32_t low, uint32_t high, uint32_t& number) {
  return to_number(text, number) && number >= low && number <= high;
}

// Reads one field into `command` and returns what it was, 0 for a key that is not known (SER-6).
uint8_t read_field(const Field& field, Command& command, uint64_t& energy_mwh) {
  uint32_t number = 0;
  if (field.of.length != 0) return 0;
  if (same(field.key, kDoField)) {
    const int16_t verb = number_of(kVerbWords, field.value);
    command.verb = static_cast<Verb>(verb);
    return verb >= 0 ? kHasVerb : kBad;
  }
  if (same(field.key, kOutField)) {
    const bool read = between(field.value, 0, UINT8_MAX, number);
    command.outlet = static_cast<uint8_t>(number);
    return read ? kHasOutlet : kBad;
  }
  if (same(field.key, kOnField)) {
    const bool read = between(field.value, 0, 1, number);
    command.on = number == 1;
    return read ? kHasOn : kBad;
  }
  if (same(field.key, kOffMsField)) {
    const bool read = between(field.value, kOffMsMin, kOffMsMax, number);
    command.off_ms = number;
    return read ? kHasOffMs : kBad;
  }
  if (same(field.key, kSrcField)) {
    const int16_t source = position_of(kSourceNames, field.value);
    command.source = source == 1 ? Source::kBackup : Source::kMain;
    return source >= 0 ? kHasSource : kBad;
  }
  if (same(field.key, kEnergyField)) return to_long_number(field.value, energy_mwh) ? kHasEnergy : kBad;
  return 0;
}

}  // namespace

uint8_t read_command(Frame frame, Command& command, uint64_t& energy_mwh) {
  command = {static_cast<uint8_t>(frame.seq), Verb::kSwitch, 0, false, false, Source::kMain, 0};
  uint8_t has = 0;
  Field field;
  while (next_field(frame, field)) has = static_cast<uint8_t>(has | read_field(field, command, energy_mwh));
  if ((has & kBad) != 0 || (has & kHasVerb) == 0) return code::kResultMalformed;
  const uint8_t wanted = fields_of(command.verb);
  if ((has & wanted) != wanted) return code::kResultMalformed;
  const bool outlet_exists = command.outlet >= 1 && command.outlet <= kOutlets;
  return (wanted & kHasOutlet) != 0 && !outlet_exists ? code::kResultNoSuchOutlet : code::kResultOk;
}

}  // namespace loadcenter
