// Facts of the board: pins, contacts, ratings and the scaling of its sensors. No setting reaches any of them.
//
// Select by macro: LOADCENTER_MEGA (ATmega2560, 8 outlets) instead of the UNO (ATmega328P, 4 outlets),
// LOADCENTER_60HZ (120 V and 60 Hz) instead of 230 V and 50 Hz, and LOADCENTER_SOURCE_PAIR (two source relays
// with a software dead time) instead of the two-pole changeover. `scripts/firmware.py` writes all of this as
// JSON next to each build (`board.json`), through host/board_facts.cpp.
#pragma once

#include <stdint.h>

#if defined(__AVR_ATmega2560__) && !defined(LOADCENTER_MEGA)
#define LOADCENTER_MEGA
#endif

#if defined(LOADCENTER_MEGA)
#define LOADCENTER_OUTLETS 8
#else
#define LOADCENTER_OUTLETS 4
#endif

// Time for which both relays of a source pair stay released. 0 is for the ablation of the test suite alone:
// it must find both sources closed.
#if !defined(LOADCENTER_DEAD_TIME_MS)
#define LOADCENTER_DEAD_TIME_MS 10
#elif LOADCENTER_DEAD_TIME_MS < 5 && !defined(LOADCENTER_TEST_BUILD)
#error "a dead time below 5 ms lets the contacts of a source pair overlap: it needs LOADCENTER_TEST_BUILD"
#endif

// Peak current that opens an outlet at once, in mA.
#if !defined(LOADCENTER_INSTANTANEOUS_MA)
#define LOADCENTER_INSTANTANEOUS_MA 17600
#endif

// Outlets whose relay is closed while its coil has no current; bit 0 is outlet 1.
#if !defined(LOADCENTER_NORMALLY_CLOSED_OUTLETS)
#define LOADCENTER_NORMALLY_CLOSED_OUTLETS 0
#endif

// What an ATmega328P has no room for (docs/decisions/0015-what-a-uno-leaves-out.md, with its bytes in
// README.md). It can be had by these macros where something else gives way. 0 or 1.
//   LOADCENTER_CALIBRATION   the gains and delays of one unit; 1 where any is given below
//   LOADCENTER_DIAGNOSTICS   CPU load, lateness and free memory in telemetry, the self tests, the events
//                            nominal_mismatch, redundancy_lost and _restored and suspected_open, and the
//                            angle between the sources
#if defined(__AVR_ATmega328P__)
#define LOADCENTER_ROOMY 0
#else
#define LOADCENTER_ROOMY 1
#endif
// What was found out of the sensors of this unit (docs/build-it/uno.md), in the order of the channels; what
// is left out is as drawn. A UNO for 50 Hz has room for it; the others without the boot loader.
//   LOADCENTER_SOURCE_GAINS       of MAIN, BACKUP: 32768ths to add to what is measured
//   LOADCENTER_OUTLET_GAINS       of each outlet, likewise
//   LOADCENTER_OUTLET_DELAYS_US   of each outlet, -127 to 127: by which its current is sampled later than the
//                                 slots say; below 0 for a sensor that lags
#if !defined(LOADCENTER_CALIBRATION)
#if defined(LOADCENTER_SOURCE_GAINS) || defined(LOADCENTER_OUTLET_GAINS) || \
    defined(LOADCENTER_OUTLET_DELAYS_US)
#define LOADCENTER_CALIBRATION 1
#else
#define LOADCENTER_CALIBRATION LOADCENTER_ROOMY
#endif
#endif
#if !defined(LOADCENTER_SOURCE_GAINS)
#define LOADCENTER_SOURCE_GAINS 0
#endif
#if !defined(LOADCENTER_OUTLET_GAINS)
#define LOADCENTER_OUTLET_GAINS 0
#endif
#if !defined(LOADCENTER_OUTLET_DELAYS_US)
#define LOADCENTER_OUTLET_DELAYS_US 0
#endif
#if !defined(LOADCENTER_DIAGNOSTICS)
#define LOADCENTER_DIAGNOSTICS LOADCENTER_ROOMY
#endif

namespace loadcenter {
namespace board {

constexpr bool kCalibrated = LOADCENTER_CALIBRATION != 0;
constexpr bool kDiagnostics = LOADCENTER_DIAGNOSTICS != 0;

// A pin as the datasheet names it (port letter and bit) and as the board prints it.
struct Pin {
  char port;
  uint8_t bit;
  uint8_t arduino;
};

#if defined(LOADCENTER_MEGA)
constexpr uint8_t kTurns = 2;               // currents take turns: each is sampled every second scan
constexpr Pin kFirstOutlet = {'A', 0, 22};  // outlets are consecutive bits of one port: 22 to 29
constexpr Pin kChangeover = {'C', 7, 30};   // of a source pair: the relay of MAIN
constexpr Pin kIsolator = {'C', 6, 31};
constexpr Pin kBackupRelay = {'C', 5, 32};  // only a source pair has it
constexpr Pin kLive = {'E', 4, 2};
constexpr uint8_t kSourceChannel[2] = {8, 9};  // A8 MAIN, A9 BACKUP; the currents are A0 to A7
#else
constexpr uint8_t kTurns = 1;
constexpr Pin kFirstOutlet = {'D', 4, 4};  // outlets are consecutive bits of one port: 4 to 7
constexpr Pin kChangeover = {'B', 0, 8};   // of a source pair: the relay of MAIN
constexpr Pin kIsolator = {'B', 1, 9};
constexpr Pin kBackupRelay = {'B', 2, 10};  // only a source pair has it
constexpr Pin kLive = {'D', 2, 2};
constexpr uint8_t kSourceChannel[2] = {4, 5};  // A4 MAIN, A5 BACKUP; the currents are A0 to A3
#endif

#if defined(LOADCENTER_SOURCE_PAIR)
constexpr bool kSourcePair = true;
#else
constexpr bool kSourcePair = false;
#endif
constexpr uint16_t kDeadTimeMs = LOADCENTER_DEAD_TIME_MS;

// Contacts. Drivers are pulled to off, so that a pin in reset leaves every coil without current: then a
// changeover stands on MAIN and a normally open contact is open. A normally closed outlet is safe only
// because it stands behind the normally open isolator.
constexpr bool kActiveHigh = true;  // a high pin energises the coil
constexpr uint8_t kNormallyClosedOutlets = LOADCENTER_NORMALLY_CLOSED_OUTLETS;
constexpr bool kLiveActiveLow = true;  // the optocoupler pulls the pin to ground while the bus is live

// Mains.
#if defined(LOADCENTER_60HZ)
constexpr int32_t kNominalMv = 120000;
constexpr int32_t kNominalMhz = 60000;
#else
constexpr int32_t kNominalMv = 230000;
constexpr int32_t kNominalMhz = 50000;
#endif

// Ratings.
constexpr int32_t kOutletRatingMa = 4000;
constexpr int32_t kChangeoverRatingMa = 16000;
constexpr int32_t kInstantaneousPeakMa = LOADCENTER_INSTANTANEOUS_MA;  // trips in 3 scans: one sample
// Likewise: the amplitude reckoned from two samples.
constexpr int32_t kInstantaneousTwoPointMa = kInstantaneousPeakMa / 176 * 166;
static_assert(
    kInstantaneousPeakMa * 10 >= kOutletRatingMa * 21 && kInstantaneousPeakMa <= 24000,
    "the instantaneous trip lies between 1.5 times the rated peak and 24 A, below where the sensor clips");
static_assert(kInstantaneousTwoPointMa < kInstantaneousPeakMa,
              "the two-point limit stands below that of a sample");

// Sensors. ACS712-20A: 100 mV/A about the middle of its supply, which is the reference of the ADC, so that
// neither its zero nor its gain moves with that supply. ZMPT101B: an absolute gain about the same middle,
// trimmed so that full scale is 1.6 times the nominal peak; its counts move against the supply, and the band
// gap tells how far.
constexpr uint16_t kZeroCounts = 512;
constexpr int32_t kMilliampsPerCountX1000 = 48828;  // 5 V / 1024 / 100 mV/A
constexpr uint16_t kNominalPeakCounts = 320;        // 512 / 1.6
constexpr uint16_t kClippedCounts = 490;            // 24.5 A: the sensor ends at 25 A
constexpr int32_t kClippedMa = 17700;               // least RMS of a cycle that clips
constexpr uint16_t kBandGapMv = 1100;               // of this chip, 1,000 to 1,200
constexpr uint16_t kReferenceMv = 5000;

// Time. A conversion takes 13 clocks of 64 cycles; with interrupt and restart a slot measures as follows.
constexpr uint16_t kScanUs = 400;
constexpr uint16_t kScanCycles = 6400;
constexpr uint16_t kSlotCycles = 911;

}  // namespace board
}  // namespace loadcenter
