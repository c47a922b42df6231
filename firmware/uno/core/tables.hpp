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
static const RungRow kLadder[kRungs] LOADCENTER_FLASH = {
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
static const uint32_t kCurveRates[3][kCurveSteps] LOADCENTER_FLASH = {
    {
        0, 9087, 17664, 25787, 33501, 40846, 47856, 54560, 60984, 67152,
        73082, 78792, 84299, 89617, 94758, 99733, 104554, 113768, 122465, 130701,
        138523, 145970, 153078, 159875, 166390, 172643, 178656, 184446, 190030, 195422,
        200635, 205680, 210568, 219910, 228729, 237080, 245010, 252562, 259769, 266661,
        273266, 279607, 285704, 291575, 297237, 302704, 307990, 313105, 318061, 327534,
        336476, 344943, 352985, 360642, 367949, 374938, 381635, 388064, 394246, 400200,
        405941, 411484, 416843, 422030, 427055,
    },  // ni
    {
        0, 4855, 9709, 14564, 19418, 24273, 29127, 33982, 38836, 43691,
        48545, 53400, 58254, 63109, 67963, 72818, 77672, 87381, 97090, 106799,
        116508, 126217, 135927, 145636, 155345, 165054, 174763, 184472, 194181, 203890,
        213599, 223308, 233017, 252435, 271853, 291271, 310689, 330107, 349525, 368943,
        388361, 407780, 427198, 446616, 466034, 485452, 504870, 524288, 543706, 582542,
        621378, 660215, 699051, 737887, 776723, 815559, 854395, 893231, 932068, 970904,
        1009740, 1048576, 1087412, 1126248, 1165084,
    },  // vi
    {
        0, 1690, 3482, 5376, 7373, 9472, 11674, 13978, 16384, 18893,
        21504, 24218, 27034, 29952, 32973, 36096, 39322, 46080, 53248, 60826,
        68813, 77210, 86016, 95232, 104858, 114893, 125338, 136192, 147456, 159130,
        171213, 183706, 196608, 223642, 252314, 282624, 314573, 348160, 383386, 420250,
        458752, 498893, 540672, 584090, 629146, 675840, 724173, 774144, 825754, 933888,
        1048576, 1169818, 1297613, 1431962, 1572864, 1720320, 1874330, 2034893, 2202010, 2375680,
        2555904, 2742682, 2936013, 3135898, 3342336,
    },  // ei
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
