// From what the decision layer wants of the relays to their coils: kinds of contact, and the dead time of a
// source pair.
#pragma once

#include <stdint.h>

#include "types.hpp"

namespace loadcenter {

// Coils with current.
struct Coils {
  OutletMask outlets;
  bool isolator;
  bool changeover;  // of a source pair: the relay of MAIN
  bool backup;      // only a source pair has it
};

class Relays {
 public:
  // Sets `coils` to what `drives` asks for. A source pair changes over when the dead time has passed.
  void drive(const Drives& drives) {
    coils.outlets = static_cast<OutletMask>(drives.outlets ^ board::kNormallyClosedOutlets);
    coils.isolator = drives.isolator_closed;
    if (!board::kSourcePair) {
      coils.changeover = drives.changeover == Source::kBackup;
      return;
    }
    if (wanted_ != drives.changeover || !begun_) {
      begun_ = true;
      wanted_ = drives.changeover;
      dead_scans_ = kDeadScans;
      coils.changeover = false;
      coils.backup = false;
    }
    close_source();
  }

  // Each scan. Returns whether `coils` has changed.
  bool tick() {
    if (!board::kSourcePair || dead_scans_ == 0) {
      return false;
    }
    --dead_scans_;
    close_source();
    return dead_scans_ == 0;
  }

  Coils coils;

 private:
  static constexpr uint16_t kDeadScans = static_cast<uint16_t>(board::kDeadTimeMs * 1000UL / board::kScanUs);

  void close_source() {
    if (dead_scans_ == 0) {
      coils.changeover = wanted_ == Source::kMain;
      coils.backup = wanted_ == Source::kBackup;
    }
  }

  uint16_t dead_scans_;
  Source wanted_;
  bool begun_;
};

}  // namespace loadcenter
