#include "verbs.hpp"

namespace loadcenter {

namespace {

// As in MQTT-40.
constexpr uint32_t kOffMsMin = 1000;
constexpr uint32_t kOffMsMax = 3600000;

}  // namespace

uint8_t read_command(const Frame& frame, Command& command, Energy& energy) {
  const uint32_t outlet = frame.number[1];
  const uint32_t value = frame.number[2];
  command = {static_cast<uint8_t>(frame.seq),
             static_cast<Verb>(frame.number[0]),
             static_cast<uint8_t>(outlet),
             value == 1,
             false,
             value == 1 ? Source::kBackup : Source::kMain,
             value};
  bool of_outlet = true;
  bool good = frame.number[0] <= UINT8_MAX;
  switch (command.verb) {
    case Verb::kTransfer:
      of_outlet = false;
      good = good && value <= 1;
      break;
    case Verb::kSwitch:
    case Verb::kLock:
      good = good && value <= 1;
      break;
    case Verb::kCycle:
      good = good && value >= kOffMsMin && value <= kOffMsMax;
      break;
    case Verb::kEnergy:
      good = good && energy.set(value, frame.number[3]);
      break;
    case Verb::kResetTrip:
      break;
    case Verb::kClearLockout:
      of_outlet = false;
      break;
    default:
      good = false;
  }
  if (!good || (of_outlet && outlet > UINT8_MAX)) return code::kResultMalformed;
  return of_outlet && (outlet < 1 || outlet > kOutlets) ? code::kResultNoSuchOutlet : code::kResultOk;
}

}  // namespace loadcenter
