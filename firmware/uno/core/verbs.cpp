#include "verbs.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

const char kFields[] LOADCENTER_FLASH = "do\0out\0on\0off_ms\0src\0e_mwh\0";
const char kSourceNames[] LOADCENTER_FLASH = "main\0backup\0";

// As in MQTT-40.
constexpr uint32_t kOffMsMin = 1000;
constexpr uint32_t kOffMsMax = 3600000;

// Which fields have been read: bits by their place in kFields.
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

// Reads the value of field `has` into `command`; false if it is none.
bool read_value(uint8_t has, Text value, Command& command, Energy& energy) {
  if (has == kHasEnergy) return energy.read(value);
  if (has == kHasVerb) {
    const int16_t place = position_of(kVerbWords, value);
    command.verb = static_cast<Verb>(place + 1);
    return place >= 0;
  }
  if (has == kHasSource) {
    const int16_t source = position_of(kSourceNames, value);
    command.source = source == 1 ? Source::kBackup : Source::kMain;
    return source >= 0;
  }
  uint32_t number = 0;
  if (!to_number(value, number)) return false;
  if (has == kHasOffMs) {
    command.off_ms = number;
    return number >= kOffMsMin && number <= kOffMsMax;
  }
  if (has == kHasOn) {
    command.on = number == 1;
    return number <= 1;
  }
  command.outlet = static_cast<uint8_t>(number);
  return number <= UINT8_MAX;
}

// Reads one field into `command` and returns what it was, 0 for a key that is not known (SER-6).
uint8_t read_field(const Field& field, Command& command, Energy& energy) {
  const int16_t place = position_of(kFields, field.key);
  if (place < 0 || field.of.length != 0) return 0;
  const uint8_t has = static_cast<uint8_t>(1U << place);
  return read_value(has, field.value, command, energy) ? has : kBad;
}

}  // namespace

uint8_t read_command(Frame frame, Command& command, Energy& energy) {
  command = {static_cast<uint8_t>(frame.seq), Verb::kSwitch, 0, false, false, Source::kMain, 0};
  uint8_t has = 0;
  Field field;
  while (next_field(frame, field)) has = static_cast<uint8_t>(has | read_field(field, command, energy));
  if ((has & kBad) != 0 || (has & kHasVerb) == 0) return code::kResultMalformed;
  const uint8_t wanted = fields_of(command.verb);
  if ((has & wanted) != wanted) return code::kResultMalformed;
  const bool outlet_exists = command.outlet >= 1 && command.outlet <= kOutlets;
  return (wanted & kHasOutlet) != 0 && !outlet_exists ? code::kResultNoSuchOutlet : code::kResultOk;
}

}  // namespace loadcenter
