#include "qualification.hpp"

namespace loadcenter {

namespace {

// The nominal voltage is whole volts, so that a permille of it is whole mV: no division for each reading.
constexpr uint16_t kMvPerPermille = static_cast<uint16_t>(board::kNominalMv / 1000);
static_assert(board::kNominalMv % 1000 == 0, "a permille of the nominal voltage must be whole mV");

constexpr int32_t mv(uint16_t permille) {
  return static_cast<int32_t>(static_cast<uint32_t>(permille) * kMvPerPermille);
}

// Returns whether a voltage is at least at one limit and not over the other.
template <uint16_t kLow, uint16_t kHigh>
bool within(int32_t voltage_mv) {
  return static_cast<uint32_t>(voltage_mv - mv(kLow)) < static_cast<uint32_t>(mv(kHigh + 1 - kLow));
}

// Returns how far a frequency is from the nominal one; UINT16_MAX where that is not known.
uint16_t off_nominal(int32_t mhz) {
  if (mhz == kUnknown) return UINT16_MAX;
  const int32_t off = mhz > board::kNominalMhz ? mhz - board::kNominalMhz : board::kNominalMhz - mhz;
  return off > UINT16_MAX ? UINT16_MAX : static_cast<uint16_t>(off);
}

bool violates(const RungRow& rung, const SourceInput& reading, uint16_t off_mhz) {
  switch (rung.way) {
    case Way::kLost:
      return reading.amplitude_lost;
    case Way::kUnder:
      return (rung.half ? reading.half_low_mv : reading.voltage_mv) < mv(rung.limit);
    case Way::kOver:  // by a whole permille
      return (rung.half ? reading.half_high_mv : reading.voltage_mv) >= mv(rung.limit) + kMvPerPermille;
    case Way::kFrequency:
      return reading.voltage_mv >= mv(kMeasurablePermille) && reading.frequency_mhz != kUnknown &&
             off_mhz > rung.limit;
  }
  return false;
}

constexpr uint16_t limit_of(Rung rung) { return kLadder[static_cast<uint8_t>(rung)].limit; }

bool within_good(const SourceInput& reading, uint16_t off_mhz) {
  return !reading.amplitude_lost && off_mhz <= kGoodMhz &&
         within<1000 - kGoodPermille, 1000 + kGoodPermille>(reading.voltage_mv) &&
         reading.half_low_mv >= mv(limit_of(Rung::kUnder72)) &&
         reading.half_high_mv < mv(limit_of(Rung::kOver120) + 1);
}

// Returns the most urgent rung that has been violated for its time.
uint8_t left_rung(const Sense& sense) {
  for (uint8_t rung = 0; rung < kRungs; ++rung) {
    if (sense.violated[rung] != 0 && past(sense.violated[rung], rung_row(rung).dwell_ms)) return rung;
  }
  return kNoRung;
}

void regrade(Sense& sense, const SourceInput& reading) {
  const uint8_t rung = left_rung(sense);
  if (rung != kNoRung) {
    const Way way = rung_row(rung).way;
    sense.grade = Grade::kBad;
    if (sense.rung != kNoRung && rung_row(sense.rung).way == way) return;
    sense.rung = rung;
    sense.left = 1;
    sense.detection_us =
        way == Way::kLost ? reading.detection_us : static_cast<uint32_t>(sense.violated[rung] - 1) * 1000;
    return;
  }
  if (sense.grade == Grade::kBad && !past(sense.inside, static_cast<uint16_t>(kUsableMs))) return;
  sense.grade = sense.good.past(static_cast<uint32_t>(kGoodMs)) ? Grade::kGood : Grade::kUsable;
  sense.rung = kNoRung;
}

}  // namespace

bool dead(int32_t voltage_mv) { return voltage_mv < mv(kResidualPermille + 1); }

int32_t measured_by(uint8_t rung, const SourceInput& reading) {
  const RungRow row = rung_row(rung);
  if (row.way == Way::kFrequency) return reading.frequency_mhz;
  if (!row.half) return reading.voltage_mv;
  return row.way == Way::kUnder ? reading.half_low_mv : reading.half_high_mv;
}

void qualify(Sense& sense, const SourceInput& reading) {
  const uint16_t off_mhz = off_nominal(reading.frequency_mhz);
  const bool well = within_good(reading, off_mhz);
  if (well && sense.grade == Grade::kGood) return;
  bool inside = true;
  for (uint8_t rung = 0; rung < kRungs; ++rung) {
    const bool violated = violates(rung_row(rung), reading, off_mhz);
    run(sense.violated[rung], violated);
    inside = inside && !violated;
  }
  run(sense.inside, inside);
  run(sense.left, sense.rung != kNoRung);
  if (!well) {
    sense.good.known = false;
  } else if (!sense.good.known) {
    sense.good.set();
  }
  regrade(sense, reading);
}

}  // namespace loadcenter
