#include "protection.hpp"

namespace loadcenter {

namespace {

constexpr int32_t kQuietMa = kOutletRatingMa / 4;
constexpr Watched kQuietly = {{Trip::kNone, 0, 0, 0}, false};

Watched tripped(Trip trip, int32_t measured, int32_t limit, int32_t limit_ms) {
  return {{trip, measured, limit, limit_ms}, false};
}

void forget_times(Guard& guard) {
  guard.over.forget();
  guard.warned = false;
  guard.picked_up.forget();
  guard.quiet.forget();
}

void set_while(Moment& moment, bool holds, uint32_t now_ms) {
  if (holds) moment.set_first(now_ms);
  if (!holds) moment.forget();
}

void note_sensor(Guard& guard, const OutletSeen& seen, Journal& journal) {
  if (seen.faulty == guard.faulty) return;
  const EventCode code = seen.faulty ? EventCode::kSensorFault : EventCode::kSensorRestored;
  journal.begin(code, seen.outlet, 0, Cause::kNone).end();
  guard.faulty = seen.faulty;
  guard.over.forget();
  guard.picked_up.forget();
}

void follow(Guard& guard, int32_t current_ma, const OutletSettings& settings, uint8_t reset_s,
            uint32_t step_ms, uint32_t now_ms) {
  const bool drawing = current_ma > kCarriesMa;
  guard.drew = guard.drew || drawing;
  guard.drew_now = guard.drew_now || drawing;
  guard.stuck.forget();
  guard.welded = false;
  set_while(guard.quiet, current_ma < kQuietMa, now_ms);
  const bool over = current_ma > settings.curve_ma;
  set_while(guard.picked_up, over, now_ms);
  if (!over && guard.curve == 0) return;
  guard.curve = advanced(guard.curve, current_ma, settings.curve, settings.curve_ma,
                         settings.curve_tms_permille, reset_s, step_ms);
}

bool well_below(int32_t current_ma, int32_t power_mw, const OutletSettings& settings) {
  return current_ma * 100 <= static_cast<int32_t>(settings.limit_ma) * kClearedPct &&
         power_mw * 100 <= static_cast<int32_t>(settings.limit_mw) * kClearedPct;
}

void stay_within(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, Journal& journal) {
  guard.over.forget();
  if (!guard.warned || !well_below(seen.current_ma, seen.power_mw, settings)) return;
  guard.warned = false;
  journal.begin(EventCode::kLimitCleared, seen.outlet, 0, Cause::kNone);
  journal.number(seen.current_ma).number(settings.limit_ma);
  journal.number(seen.power_mw).number(static_cast<int32_t>(settings.limit_mw)).end();
}

// The person's own limit.
Watched limit(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, uint32_t now_ms,
              Journal& journal) {
  const int32_t limit_mw = static_cast<int32_t>(settings.limit_mw);
  const bool over_current = seen.current_ma > settings.limit_ma;
  if (!over_current && seen.power_mw <= limit_mw) {
    stay_within(guard, seen, settings, journal);
    return kQuietly;
  }
  guard.over.set_first(now_ms);
  if (guard.warned || !guard.over.past(now_ms, settings.limit_ms)) return kQuietly;
  Watched found = over_current
                      ? tripped(Trip::kOvercurrent, seen.current_ma, settings.limit_ma, settings.limit_ms)
                      : tripped(Trip::kOverpower, seen.power_mw, limit_mw, settings.limit_ms);
  if (settings.limit_action == LimitAction::kWarn) {
    guard.warned = true;
    journal.begin(EventCode::kLimitExceeded, seen.outlet, 0, Cause::kNone);
    found.latch.put(journal);
    journal.end();
    return kQuietly;
  }
  forget_times(guard);
  if (settings.limit_action == LimitAction::kTrip) return found;
  journal.begin(EventCode::kShed, seen.outlet, 0, Cause::kShed).number(1);
  journal.number(found.latch.measured).number(found.latch.limit).number(kUnknown).number(kUnknown);
  journal.number(kUnknown).number(found.latch.limit_ms).number(static_cast<int32_t>(found.latch.trip)).end();
  return {kQuietly.latch, true};
}

Watched watch_closed(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, uint8_t reset_s,
                     uint32_t step_ms, uint32_t now_ms, Journal& journal) {
  follow(guard, seen.current_ma, settings, reset_s, step_ms, now_ms);
  if (guard.picked_up.known && guard.curve >= trips_at(settings.curve_tms_permille)) {
    const int32_t lasted_ms = static_cast<int32_t>(now_ms - guard.picked_up.ms);
    forget_times(guard);
    return tripped(Trip::kInverseTime, seen.current_ma, settings.curve_ma, lasted_ms);
  }
  if (guard.hot()) {
    forget_times(guard);
    return tripped(Trip::kThermal, seen.current_ma, kThermalTripMa, kTauS * 1000);
  }
  return limit(guard, seen, settings, now_ms, journal);
}

Watched watch_open(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, uint8_t reset_s,
                   uint32_t step_ms, uint32_t now_ms, Journal& journal) {
  forget_times(guard);
  if (guard.curve != 0) {
    guard.curve = advanced(guard.curve, 0, settings.curve, settings.curve_ma, settings.curve_tms_permille,
                           reset_s, step_ms);
  }
  if (seen.current_ma <= kCarriesMa) {
    guard.stuck.forget();
    return kQuietly;
  }
  guard.stuck.set_first(now_ms);
  const bool must_be_open = seen.tripped || seen.current_ma > kOutletRatingMa;
  if (must_be_open && !seen.failed && guard.stuck.past(now_ms, kFailedMs)) {
    guard.welded = true;
    return tripped(Trip::kBreakerFailure, seen.current_ma, kCarriesMa, kFailedMs);
  }
  if (guard.welded || !guard.stuck.past(now_ms, kWeldedMs)) return kQuietly;
  guard.welded = true;
  journal.begin(EventCode::kRelayWelded, seen.outlet, 0, seen.cause).number(seen.current_ma).end();
  return kQuietly;
}

}  // namespace

void Latch::put(Journal& journal) const {
  journal.number(static_cast<int32_t>(trip)).number(measured).number(limit).number(limit_ms);
}

uint8_t Guard::heat_stage() const {
  const int32_t stage = heat_ppm / (kThermalTripPpm / 4);
  return static_cast<uint8_t>(stage > 4 ? 4 : stage);
}

Watched watch(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, uint8_t reset_s,
              uint32_t step_ms, uint32_t now_ms, Journal& journal) {
  note_sensor(guard, seen, journal);
  if (seen.masked) {
    guard.mask.set(now_ms);
  } else if (guard.mask.past(now_ms, kMaskGapMs)) {
    guard.mask.forget();
  }
  if (seen.opened) {
    forget_times(guard);
    return tripped(Trip::kInstantaneous, seen.peak_ma, kInstantaneousMa, kInstantaneousMs);
  }
  if (seen.faulty) return kQuietly;
  return seen.closed ? watch_closed(guard, seen, settings, reset_s, step_ms, now_ms, journal)
                     : watch_open(guard, seen, settings, reset_s, step_ms, now_ms, journal);
}

bool in_overcurrent(const Guard& guard, const OutletSettings& settings) {
  return (guard.over.known && settings.limit_action == LimitAction::kTrip) || guard.picked_up.known;
}

void note_closing(Guard& guard, uint32_t now_ms) {
  guard.mask.set(now_ms);
  guard.drew_now = false;
  guard.quiet.forget();
  guard.stuck.forget();
}

bool note_opening(Guard& guard, uint32_t closed_ms) {
  const uint8_t before = guard.barren;
  if (guard.drew_now) {
    guard.barren = 0;
  } else if (guard.drew && closed_ms >= static_cast<uint32_t>(kBarrenMs) && !guard.faulty &&
             before <= kBarrenClosings) {
    ++guard.barren;
  }
  return guard.barren == kBarrenClosings && before < kBarrenClosings;
}

void warm(Guard& guard, int32_t current_ma, uint8_t seconds) {
  if (guard.heat_ppm == 0 && guard.heat_rest == 0 && current_ma == 0) return;
  int32_t ratio = current_ma * 1000 / kThermalTripMa;
  if (ratio > kThermalRatioMost) ratio = kThermalRatioMost;
  const int32_t total = (ratio * ratio - guard.heat_ppm) * seconds + guard.heat_rest;
  // Rounded down also where it is negative, so that the rest is never lost.
  int32_t change = total / kTauS;
  int32_t rest = total % kTauS;
  if (rest < 0) {
    rest += kTauS;
    --change;
  }
  guard.heat_ppm += change;
  guard.heat_rest = static_cast<uint16_t>(rest);
}

}  // namespace loadcenter
