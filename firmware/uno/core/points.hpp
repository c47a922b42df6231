// The settings of a PDU and the numbers of the serial line.
// Generated from spec/ by scripts/generate_points.py: change it there.
// clang-format off
#pragma once

#include <stdint.h>

#include "ports.hpp"
#include "types.hpp"

namespace loadcenter {

enum class TransferMode : uint8_t { kIsolateFirst, kFast };
enum class PowerOn : uint8_t { kLastState, kAlwaysOn, kAlwaysOff };
enum class LimitAction : uint8_t { kTrip, kShed, kWarn };
enum class Curve : uint8_t { kNi, kVi, kEi };

// Packed, so that they lie in memory as they are kept (settings.cpp); an AVR has no padding anyway.
#pragma pack(push, 1)
struct OutletSettings {
  uint16_t limit_ma;  // 100 to 10000 mA
  uint16_t limit_ms;  // 20 to 60000 ms
  PowerOn power_on;  // power-restore policy
  LimitAction limit_action;  // what happens when the outlet is over its limit for its time
  uint16_t limit_w;  // 1 to 4000 W
  Curve curve;  // inverse-time curve
  uint16_t curve_ma;  // 100 to 10000 mA
  uint16_t curve_tms_permille;  // 50 to 1500 permille
  uint8_t priority;  // 1 to 8
  bool protected_;  // never shed
};

struct Settings {
  uint32_t version;  // 0 is the factory's
  Source preferred;  // preferred source
  bool auto_retransfer;  // return to the preferred source by itself
  uint16_t retransfer_delay_s;  // 0 to 3600 s
  uint8_t max_transfers_per_hour;  // 1 to 10
  uint16_t sequence_ms;  // 0 to 60000 ms
  TransferMode transfer_mode;  // how a transfer between two live sources is made
  uint8_t idmt_reset_s;  // 1 to 60 s
  uint16_t budget_main_ma;  // 500 to 16000 mA
  uint16_t budget_backup_ma;  // 500 to 16000 mA
  uint16_t budget_main_w;  // 100 to 4000 W
  uint16_t budget_backup_w;  // 100 to 4000 W
  uint16_t restore_delay_s;  // 1 to 3600 s
  uint16_t min_on_s;  // 0 to 600 s
  uint16_t min_off_s;  // 0 to 3600 s
  OutletSettings outlet[kOutlets];
};
#pragma pack(pop)

// One row of the table of settings, in flash.
struct SettingRow {
  uint8_t size;       // bytes: 1 or 2
  uint16_t low;
  uint16_t high;
  uint16_t factory;   // the default
};

constexpr uint8_t kPduSettings = 14;
constexpr uint8_t kOutletSettings = 10;
constexpr uint8_t kPduSettingsBytes = 23;     // as they are stored
constexpr uint8_t kOutletSettingsBytes = 15;  // likewise, of one outlet
constexpr uint16_t kSettingsLayout = 10908;  // differs where stored settings cannot be read
constexpr int32_t kBudgetMostMa = 16000;  // highest budget of a source that is taken

extern const SettingRow kPduRows[kPduSettings];
extern const SettingRow kOutletRows[kOutletSettings];

// Numbers of what the serial line says by itself.
namespace code {
constexpr uint8_t kEventBoot = 1;
constexpr uint8_t kEventSettingsApplied = 13;
constexpr uint8_t kResultOk = 0;
constexpr uint8_t kResultOtherBoot = 2;
constexpr uint8_t kResultRepeated = 3;
constexpr uint8_t kResultMalformed = 5;
constexpr uint8_t kResultNoSuchOutlet = 6;
constexpr uint8_t kResultNotConfirmed = 12;
constexpr uint8_t kResultSuperseded = 13;
constexpr uint8_t kCauseRestore = 7;
}  // namespace code

// What a command asks for (MQTT-40).
enum class Verb : uint8_t {
  kSwitch = 1,
  kCycle = 2,
  kResetTrip = 3,
  kLock = 4,
  kTransfer = 5,
  kClearLockout = 6,
  kEnergy = 7,
};

// Most numbers that an event tells.
constexpr uint8_t kEventNumbersMax = 8;

}  // namespace loadcenter
