#include "qualification.hpp"

namespace loadcenter {

namespace {

constexpr int32_t permille(int32_t of, int32_t share) { return of * share; }  // both below 2^31 / 1200

int32_t distance(int32_t a, int32_t b) { return a > b ? a - b : b - a; }

int32_t compared_mv(const RungRow& rung, const SourceInput& reading) {
  if (!rung.half) return reading.voltage_mv;
  return rung.way == Way::kUnder ? reading.half_low_mv : reading.half_high_mv;
}

bool violates(const RungRow& rung, const SourceInput& reading, const Nominal& nominal) {
  switch (rung.way) {
    case Way::kLost:
      return reading.amplitude_lost;
    case Way::kUnder:
      return compared_mv(rung, reading) * 1000 < permille(nominal.mv, rung.limit);
    case Way::kOver:
      return compared_mv(rung, reading) * 1000 > permille(nominal.mv, rung.limit);
    case Way::kFrequency:
      return reading.voltage_mv * 1000 >= permille(nominal.mv, kMeasurablePermille) &&
             reading.frequency_mhz != kUnknown && distance(reading.frequency_mhz, nominal.mhz) > rung.limit;
  }
  return false;
}

bool within_good(const SourceInput& reading, const Nominal& nominal) {
  if (reading.amplitude_lost || reading.frequency_mhz == kUnknown) return false;
  if (distance(reading.voltage_mv, nominal.mv) * 1000 > permille(nominal.mv, kGoodPermille)) return false;
  if (distance(reading.frequency_mhz, nominal.mhz) > kGoodMhz) return false;
  for (uint8_t number = 0; number < kRungs; ++number) {
    const RungRow rung = rung_row(number);
    if (rung.half && violates(rung, reading, nominal)) return false;
  }
  return true;
}

void depart(Sense& sense, uint8_t number, const SourceInput& reading, const Nominal& nominal, uint32_t now_ms,
            Compared& compared) {
  const RungRow rung = rung_row(number);
  const bool lost = rung.way == Way::kLost;
  sense.departure = {true, number, now_ms,
                     lost ? reading.detection_us : (now_ms - sense.violated_ms[number]) * 1000};
  if (rung.way != Way::kFrequency) {
    compared = {compared_mv(rung, reading), permille(nominal.mv, rung.limit) / 1000};
    return;
  }
  const int32_t measured = reading.frequency_mhz;
  const int32_t limit = rung.limit;
  compared = {measured, measured > nominal.mhz ? nominal.mhz + limit : nominal.mhz - limit};
}

void regrade(Sense& sense, const SourceInput& reading, const Nominal& nominal, uint32_t now_ms,
             Compared& compared) {
  for (uint8_t number = 0; number < kRungs; ++number) {
    if ((sense.violated >> number & 1) == 0) continue;
    const RungRow rung = rung_row(number);
    if (now_ms - sense.violated_ms[number] < rung.dwell_ms) continue;
    sense.grade = Grade::kBad;
    if (!sense.departure.known || sense.departure.way() != rung.way) {
      depart(sense, number, reading, nominal, now_ms, compared);
    }
    return;
  }
  if (sense.grade == Grade::kBad && !sense.inside.past(now_ms, kUsableMs)) return;
  sense.grade = sense.good.past(now_ms, kGoodMs) ? Grade::kGood : Grade::kUsable;
  sense.departure.known = false;
}

}  // namespace

void qualify(Sense& sense, const SourceInput& reading, const Nominal& nominal, uint32_t now_ms,
             Compared& compared) {
  const bool well = within_good(reading, nominal);
  if (well && sense.grade == Grade::kGood) return;
  uint16_t violated = 0;
  for (uint8_t number = 0; number < kRungs; ++number) {
    if (!violates(rung_row(number), reading, nominal)) continue;
    const uint16_t bit = static_cast<uint16_t>(1U << number);
    if ((sense.violated & bit) == 0) sense.violated_ms[number] = now_ms;
    violated = static_cast<uint16_t>(violated | bit);
  }
  sense.violated = violated;
  if (violated == 0) sense.inside.set_first(now_ms);
  if (violated != 0) sense.inside.forget();
  if (well) sense.good.set_first(now_ms);
  if (!well) sense.good.forget();
  regrade(sense, reading, nominal, now_ms, compared);
}

}  // namespace loadcenter
