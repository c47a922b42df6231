// Tables of the decision layer.
// Generated from spec/ by scripts/generate_tables.py: change it there.
// clang-format off
#pragma once

#include <stdint.h>

#include "ports.hpp"

namespace loadcenter {

enum class EventCode : uint8_t {
  kBoot = 1,
  kSourceLost = 2,
  kSourceRestored = 3,
  kTransfer = 4,
  kOutage = 5,
  kOutageEnd = 6,
  kTrip = 7,
  kTripReset = 8,
  kSwitched = 9,
  kOvervoltage = 10,
  kUndervoltage = 11,
  kRelayWelded = 12,
  kSettingsApplied = 13,
  kSettingsRefused = 14,
  kCommandRefused = 15,
  kTransferLockout = 16,
  kRedundancyLost = 17,
  kRedundancyRestored = 18,
  kShed = 19,
  kRestored = 20,
  kOverBudget = 21,
  kWithinBudget = 22,
  kShedFutile = 23,
  kLimitExceeded = 24,
  kLimitCleared = 25,
  kBreakerFailure = 26,
  kSuspectedOpen = 27,
  kSensorFault = 28,
  kSensorRestored = 29,
  kLockoutEnd = 30,
  kLocked = 31,
  kNominalMismatch = 32,
  kSelfTestFailed = 33,
  kLinkLost = 34,
  kLinkFound = 35,
};

enum class Cause : uint8_t {
  kNone = 0,
  kProtection = 1,
  kLock = 2,
  kPersonOff = 3,
  kShed = 4,
  kPersonOn = 5,
  kSchedule = 6,
  kRestore = 7,
  kSourceLost = 20,
  kOvervoltage = 21,
  kRetransfer = 22,
  kManual = 23,
  kStartUp = 24,
};

enum class Trip : uint8_t {
  kNone = 0,
  kOvercurrent = 1,
  kInstantaneous = 2,
  kInverseTime = 3,
  kOverpower = 4,
  kThermal = 5,
  kBusTotal = 6,
  kBreakerFailure = 7,
};

enum class Result : uint8_t {
  kOk = 0,
  kExpired = 1,
  kOtherBoot = 2,
  kRepeated = 3,
  kRetained = 4,
  kMalformed = 5,
  kNoSuchOutlet = 6,
  kLatched = 7,
  kLocked = 8,
  kSourceNotGood = 9,
  kAlready = 10,
  kLockout = 11,
  kNotConfirmed = 12,
  kSuperseded = 13,
  kOffline = 14,
  kUnreported = 15,
  kInOvercurrent = 16,
  kNotSupported = 17,
  kNoHeadroom = 18,
};

enum class Mode : uint8_t {
  kIsolated = 0,
  kClosed = 1,
  kSwinging = 2,
  kOpening = 3,
  kMoving = 4,
  kClosing = 5,
};

enum class Trigger : uint8_t {
  kConnect = 0,
  kLeave = 1,
  kPlan = 2,
  kIsolate = 3,
  kRetarget = 4,
  kElapsed = 5,
};

enum class Effect : uint8_t {
  kNone = 0,
  kMove = 1,
  kSettle = 2,
};

enum class Way : uint8_t {
  kLost = 0,
  kUnder = 1,
  kOver = 2,
  kFrequency = 3,
};

enum class Rung : uint8_t {
  kAmplitude65 = 0,
  kUnder72 = 1,
  kOver120 = 2,
  kUnder80 = 3,
  kOver113 = 4,
  kFrequency3hz = 5,
  kUnder87 = 6,
  kUnder90 = 7,
  kOver110 = 8,
};

struct RungRow {
  Way way;
  bool half;
  uint16_t limit;     // permille of nominal; mHz for a frequency
  uint16_t dwell_ms;
};
constexpr uint8_t kRungs = 9;
static constexpr RungRow kLadder[kRungs] LOADCENTER_FLASH = {
    {Way::kLost, false, 650, 0},  // amplitude_65
    {Way::kUnder, true, 720, 20},  // under_72
    {Way::kOver, true, 1200, 0},  // over_120
    {Way::kUnder, false, 800, 200},  // under_80
    {Way::kOver, false, 1130, 500},  // over_113
    {Way::kFrequency, false, 3000, 1000},  // frequency_3hz
    {Way::kUnder, false, 870, 3000},  // under_87
    {Way::kUnder, false, 900, 60000},  // under_90
    {Way::kOver, false, 1100, 60000},  // over_110
};

inline RungRow rung_row(uint8_t rung) {
  const RungRow& row = kLadder[rung];
  return {static_cast<Way>(flash_u8(&row.way)), flash_u8(&row.half) != 0, flash_u16(&row.limit), flash_u16(&row.dwell_ms)};
}

struct TransferRow {
  Mode mode;
  Trigger trigger;
  Mode next;
  Effect effect;
};
constexpr uint8_t kTransferRows = 14;
static const TransferRow kTransferTable[kTransferRows] LOADCENTER_FLASH = {
    {Mode::kIsolated, Trigger::kConnect, Mode::kMoving, Effect::kMove},
    {Mode::kClosed, Trigger::kLeave, Mode::kSwinging, Effect::kMove},
    {Mode::kClosed, Trigger::kPlan, Mode::kOpening, Effect::kNone},
    {Mode::kClosed, Trigger::kIsolate, Mode::kIsolated, Effect::kNone},
    {Mode::kSwinging, Trigger::kElapsed, Mode::kClosed, Effect::kSettle},
    {Mode::kSwinging, Trigger::kIsolate, Mode::kIsolated, Effect::kNone},
    {Mode::kOpening, Trigger::kElapsed, Mode::kMoving, Effect::kMove},
    {Mode::kOpening, Trigger::kRetarget, Mode::kOpening, Effect::kNone},
    {Mode::kOpening, Trigger::kIsolate, Mode::kIsolated, Effect::kNone},
    {Mode::kMoving, Trigger::kElapsed, Mode::kClosing, Effect::kNone},
    {Mode::kMoving, Trigger::kRetarget, Mode::kMoving, Effect::kMove},
    {Mode::kMoving, Trigger::kIsolate, Mode::kIsolated, Effect::kNone},
    {Mode::kClosing, Trigger::kElapsed, Mode::kClosed, Effect::kSettle},
    {Mode::kClosing, Trigger::kIsolate, Mode::kIsolated, Effect::kNone},
};

constexpr bool isolator_closed_in(Mode mode) { return mode == Mode::kClosed || mode == Mode::kSwinging || mode == Mode::kClosing; }

// How long a mode lasts; 0 for one that does not end by itself.
inline uint8_t lasts_ms(Mode mode) {
  switch (mode) {
    case Mode::kOpening: return 20;
    case Mode::kMoving: return 13;
    case Mode::kSwinging: return 25;
    case Mode::kClosing: return 13;
    default: return 0;
  }
}

constexpr uint8_t kCurveSteps = 65;
static const uint16_t kNiRates[kCurveSteps] LOADCENTER_FLASH = {
    0, 1136, 2208, 3223, 4188, 5106, 5982, 6820, 7623, 8394,
    9135, 9849, 10537, 11202, 11845, 12467, 13069, 14221, 15308, 16338,
    17315, 18246, 19135, 19984, 20799, 21580, 22332, 23056, 23754, 24428,
    25079, 25710, 26321, 27489, 28591, 29635, 30626, 31570, 32471, 33333,
    34158, 34951, 35713, 36447, 37155, 37838, 38499, 39138, 39758, 40942,
    42059, 43118, 44123, 45080, 45994, 46867, 47704, 48508, 49281, 50025,
    50743, 51435, 52105, 52754, 53382,
};

constexpr int32_t kUsableMs = 60;
constexpr int32_t kGoodMs = 2000;
constexpr int32_t kGoodPermille = 70;
constexpr int32_t kGoodMhz = 1500;
constexpr int32_t kMeasurablePermille = 500;
constexpr int32_t kIsolateMs = 30;
constexpr int32_t kResidualPermille = 350;
constexpr int32_t kMismatchMhz = 5000;
constexpr int32_t kHourMs = 3600000;
constexpr int32_t kLeaveGapMs = 10000;
constexpr int32_t kRedundancyGraceMs = 1000;
constexpr int32_t kAtOncePermille = 650;
constexpr int32_t kAtOnceInrushPermille = 400;
constexpr int32_t kAtOnceInrushMs = 150;
constexpr int32_t kOutageMs = 100;
constexpr int32_t kStartGraceMs = 1000;
constexpr int32_t kCarriesMa = 200;
constexpr int32_t kWeldedMs = 200;
constexpr int32_t kFailedMs = 60;
constexpr int32_t kInstantaneousMa = 17600;
constexpr int32_t kInstantaneousMs = 1;
constexpr int32_t kMaskMs = 150;
constexpr int32_t kMaskGapMs = 2000;
constexpr int32_t kQuietMs = 200;
constexpr int32_t kClearedPct = 95;
constexpr int32_t kBarrenClosings = 3;
constexpr int32_t kBarrenMs = 1000;
constexpr int32_t kOutletRatingMa = 4000;
constexpr int32_t kBusRatingMa = 16000;
constexpr int32_t kBusTmsPermille = 1000;
constexpr int32_t kTauS = 300;
constexpr int32_t kThermalTripMa = 4400;
constexpr int32_t kThermalRatioMost = 5000;
constexpr int32_t kThermalTripPpm = 1000000;
constexpr int32_t kSecondsMost = 10;
constexpr int32_t kCurveStepMsMost = 20;
constexpr int32_t kShedOverMs = 1000;
constexpr int32_t kShedHeavyMs = 100;
constexpr int32_t kShedStepMs = 300;
constexpr int32_t kSeenMs = 60;
constexpr int32_t kUnseenMs = 300;

}  // namespace loadcenter
