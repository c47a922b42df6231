// What the serial line and the records ask of the rest (core/joined.hpp).
#include "joined.hpp"

#include <avr/io.h>

#include "../core/joined.hpp"
#include "machine.hpp"
#include "scan.hpp"

namespace loadcenter {

CpuLoad cpu_load;

namespace {

// Share of the time that the interrupts take outside of the steps, as the emulator counts it (README.md).
constexpr uint32_t kInterruptPermille = 520;

// Places in `reset_cause` of spec/serial.toml.
enum Why : uint8_t { kWhyUnknown, kWhyPower, kWhyExternal, kWhyBrownOut, kWhyWatchdog };

int32_t of_pdu(Reading what) {
  const Transfer& transfer = pdu.decision.transfer();
  switch (what) {
    case Reading::kActive:
      return index(transfer.position());
    case Reading::kLive:
      return pdu.inputs.live;
    case Reading::kIsolator:
      return sampler.drives.isolator_closed;
    case Reading::kLockout:
      return transfer.locked_out();
    case Reading::kCpuPermille:
      return board::kDiagnostics ? cpu_load.permille() : kUnknown;
    case Reading::kLateUs:
      return board::kDiagnostics ? cpu_load.take_late_us() : kUnknown;
    default:
      return board::kDiagnostics ? free_bytes() : kUnknown;
  }
}

int32_t of_outlet(Reading what, uint8_t k) {
  const OutletState& outlet = pdu.decision.outlet(k);
  switch (what) {
    case Reading::kOn:
      return outlet.closed;
    case Reading::kCause:
      return static_cast<uint8_t>(pdu.decision.cause(k));
    case Reading::kTrip:
      return outlet.latched != Trip::kNone ? static_cast<uint8_t>(outlet.latched) : kUnknown;
    case Reading::kLocked:
      return outlet.locked;
    case Reading::kCurrentMa:
      return pdu.metering.second.current_ma[k];
    default:
      return pdu.metering.second.power_mw[k];
  }
}

}  // namespace

void CpuLoad::end_second() {
  const uint32_t busy = cycles_ / (F_CPU / 1000);
  permille_ = static_cast<uint16_t>(busy + (1000 - busy) * kInterruptPermille / 1000);
  cycles_ = 0;
}

uint16_t CpuLoad::take_late_us() {
  const uint16_t late = late_us_;
  late_us_ = 0;
  return late;
}

int32_t reading(Reading what, uint8_t of) {
  if (what >= Reading::kOn) {
    return of_outlet(what, static_cast<uint8_t>(of - 1));
  }
  switch (what) {
    case Reading::kVoltageMv:
      return pdu.metering.second.voltage_mv[of];
    case Reading::kFrequencyMhz:
      return pdu.inputs.source[of].frequency_mhz;
    case Reading::kGrade:
      return static_cast<uint8_t>(pdu.decision.transfer().grade(static_cast<Source>(of)));
    default:
      return of_pdu(what);
  }
}

void take_event(const Event& event) { pdu.link.note(event); }

void take_answer(uint8_t key, Status status, Result code) {
  pdu.link.answer(key, status, static_cast<uint8_t>(code));
}

KeptOutlet kept_outlet(uint8_t outlet) { return pdu.decision.kept(static_cast<uint8_t>(outlet - 1)); }

uint8_t kept_held() {
  const Transfer& transfer = pdu.decision.transfer();
  return transfer.held() ? static_cast<uint8_t>(index(transfer.position()) + 1) : 0;
}

uint8_t reset_cause() {
  const uint8_t flags = reset_flags();
  if ((flags & _BV(WDRF)) != 0) {
    return kWhyWatchdog;
  }
  if ((flags & _BV(PORF)) != 0) {
    return kWhyPower;
  }
  if ((flags & _BV(BORF)) != 0) {
    return kWhyBrownOut;
  }
  return (flags & _BV(EXTRF)) != 0 ? kWhyExternal : kWhyUnknown;
}

}  // namespace loadcenter
