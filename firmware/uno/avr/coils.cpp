#include "coils.hpp"

#include "pins.hpp"

namespace loadcenter {
namespace {

constexpr uint8_t kOutletPins = static_cast<uint8_t>(((1U << kOutlets) - 1) << board::kFirstOutlet.bit);

LOADCENTER_FOLDED inline void energise(board::Pin pin, bool on) { write_pin(pin, on == board::kActiveHigh); }

void write_outlets(OutletMask coils) {
  volatile uint8_t& out = *registers_of(board::kFirstOutlet.port).out;
  const uint8_t levels =
      static_cast<uint8_t>((board::kActiveHigh ? coils : ~coils) << board::kFirstOutlet.bit);
  out = static_cast<uint8_t>((out & ~kOutletPins) | (levels & kOutletPins));
}

OutletMask energised_outlets() {
  const uint8_t out = *registers_of(board::kFirstOutlet.port).out;
  const uint8_t levels = static_cast<uint8_t>((out & kOutletPins) >> board::kFirstOutlet.bit);
  return static_cast<OutletMask>(board::kActiveHigh ? levels
                                                    : ~levels & (kOutletPins >> board::kFirstOutlet.bit));
}

}  // namespace

void begin_coils() {
  write_outlets(0);
  energise(board::kIsolator, false);
  energise(board::kChangeover, false);
  volatile uint8_t& direction = *registers_of(board::kFirstOutlet.port).direction;
  direction = static_cast<uint8_t>(direction | kOutletPins);
  make_output(board::kIsolator);
  make_output(board::kChangeover);
  if (board::kSourcePair) {
    energise(board::kBackupRelay, false);
    make_output(board::kBackupRelay);
  }
}

void write_coils(const Coils& coils) {
  // A coil opens its contact by losing current, one of a normally closed contact by getting it.
  const OutletMask before = energised_outlets();
  const OutletMask closing = (before ^ coils.outlets) & (coils.outlets ^ board::kNormallyClosedOutlets);
  write_outlets(static_cast<OutletMask>((before & closing) | (coils.outlets & ~closing)));
  if (!coils.isolator) {
    energise(board::kIsolator, false);
  }
  if (board::kSourcePair) {
    if (!coils.changeover) {
      energise(board::kChangeover, false);
    }
    energise(board::kBackupRelay, coils.backup);
  }
  energise(board::kChangeover, coils.changeover);
  energise(board::kIsolator, coils.isolator);
  write_outlets(coils.outlets);
}

}  // namespace loadcenter
