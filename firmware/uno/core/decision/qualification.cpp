#include "qualification.hpp"

namespace loadcenter {

namespace {

// A reading as the limits see it.
struct Graded {
  uint16_t permille;
  uint16_t half_low;
  uint16_t half_high;
  uint16_t off_mhz;  // from the nominal frequency; UINT16_MAX where that is not known
};

uint16_t off_nominal(int32_t mhz) {
  if (mhz == kUnknown) return UINT16_MAX;
  const int32_t off = mhz > board::kNominalMhz ? mhz - board::kNominalMhz : board::kNominalMhz - mhz;
  return off > UINT16_MAX ? UINT16_MAX : static_cast<uint16_t>(off);
}

Graded graded(const SourceInput& reading) {
  return {permille(reading.voltage_mv), permille(reading.half_low_mv), permille(reading.half_high_mv),
          off_nominal(reading.frequency_mhz)};
}

bool violates(const RungRow& rung, const SourceInput& reading, const Graded& seen) {
  switch (rung.way) {
    case Way::kLost:
      return reading.amplitude_lost;
    case Way::kUnder:
      return (rung.half ? seen.half_low : seen.permille) < rung.limit;
    case Way::kOver:
      return (rung.half ? seen.half_high : seen.permille) > rung.limit;
    case Way::kFrequency:
      return seen.permille >= kMeasurablePermille && reading.frequency_mhz != kUnknown &&
             seen.off_mhz > rung.limit;
  }
  return false;
}

uint16_t limit_of(Rung rung) { return rung_row(static_cast<uint8_t>(rung)).limit; }

bool within_good(const SourceInput& reading, const Graded& seen) {
  return !reading.amplitude_lost && seen.off_mhz <= kGoodMhz && seen.permille >= 1000 - kGoodPermille &&
         seen.permille <= 1000 + kGoodPermille && seen.half_low >= limit_of(Rung::kUnder72) &&
         seen.half_high <= limit_of(Rung::kOver120);
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

uint16_t permille(int32_t voltage_mv) {
  return static_cast<uint16_t>(static_cast<uint32_t>(voltage_mv) * 1000 / static_cast<uint32_t>(board::kNominalMv));
}

int32_t measured_by(uint8_t rung, const SourceInput& reading) {
  const RungRow row = rung_row(rung);
  if (row.way == Way::kFrequency) return reading.frequency_mhz;
  if (!row.half) return reading.voltage_mv;
  return row.way == Way::kUnder ? reading.half_low_mv : reading.half_high_mv;
}

void qualify(Sense& sense, const SourceInput& reading) {
  const Graded seen = graded(reading);
  const bool well = within_good(reading, seen);
  if (well && sense.grade == Grade::kGood) return;
  bool inside = true;
  for (uint8_t rung = 0; rung < kRungs; ++rung) {
    const bool violated = violates(rung_row(rung), reading, seen);
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
