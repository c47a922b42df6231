#include "shedding.hpp"

namespace loadcenter {

namespace {

uint16_t budget_ma(Source source) {
  const Settings& settings = *step_now.settings;
  return source == Source::kMain ? settings.budget_main_ma : settings.budget_backup_ma;
}

uint16_t budget_w(Source source) {
  const Settings& settings = *step_now.settings;
  return source == Source::kMain ? settings.budget_main_w : settings.budget_backup_w;
}

// Returns a sum that ends at what 16 bits hold.
uint16_t capped_sum(uint16_t a, uint16_t b) {
  const uint16_t sum = static_cast<uint16_t>(a + b);
  return sum < a ? UINT16_MAX : sum;
}

// Returns whether `value` is over one and a half of `limit`, which is a budget: at most 16,000.
bool half_more(uint16_t value, uint16_t limit) { return value > static_cast<uint16_t>(limit + limit / 2); }

bool may_shed(const OutletState& outlet, uint8_t i) {
  return outlet.closed && outlet.shed == Shed::kNot && !settings_of(i).protected_ && !outlet.locked &&
         !outlet.guard.faulty;
}

// The outlet of the lowest priority that may be shed and draws current, the last one among equals.
uint8_t first_to_shed(const OutletState* outlets, const uint16_t* draws_ma) {
  uint8_t found = kNoOutlet;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const bool lower = found == kNoOutlet || settings_of(i).priority >= settings_of(found).priority;
    if (lower && draws_ma[i] > kCarriesMa && may_shed(outlets[i], i)) found = i;
  }
  return found;
}

// Returns whether a draw, with half of it more for the inrush, leaves a tenth of the budget to spare.
bool fits_well(uint16_t total, uint16_t draw, uint16_t budget) {
  return static_cast<uint32_t>(total) * 10 + static_cast<uint32_t>(draw) * 15 <=
         static_cast<uint32_t>(budget) * 9;
}

}  // namespace

void Load::add(uint16_t more_ma, uint16_t more_w) {
  current_ma = capped_sum(current_ma, more_ma);
  power_w = static_cast<uint16_t>(power_w + more_w);
}

bool Load::exceeds(Source source) const {
  return current_ma > budget_ma(source) || power_w > budget_w(source);
}

bool Load::exceeds_half_more(Source source) const {
  return half_more(current_ma, budget_ma(source)) || half_more(power_w, budget_w(source));
}

Load drawn_by(const OutletState* outlets) {
  Load drawn = {0, 0};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (outlets[i].closed) drawn.add(outlets[i].draw_ma, outlets[i].draw_w);
  }
  return drawn;
}

bool fits(const Load& total, Source source, const OutletState& outlet) {
  Load with = total;
  with.add(outlet.draw_ma, outlet.draw_w);
  return !with.exceeds(source);
}

OutletMask plan(const OutletState* outlets, Source source) {
  Load load = drawn_by(outlets);
  OutletMask mask = 0;
  uint16_t draws_ma[kOutlets];
  for (uint8_t i = 0; i < kOutlets; ++i) draws_ma[i] = outlets[i].draw_ma;
  while (load.exceeds(source)) {
    const uint8_t i = first_to_shed(outlets, draws_ma);
    if (i == kNoOutlet) break;
    load.current_ma = static_cast<uint16_t>(load.current_ma - draws_ma[i]);
    load.power_w = static_cast<uint16_t>(load.power_w - outlets[i].draw_w);
    draws_ma[i] = 0;
    mask = static_cast<OutletMask>(mask | 1U << i);
  }
  return mask;
}

void Shedding::note_change(bool restored) {
  changed_.set();
  restored_ = restored;
}

void Shedding::wait() {
  run(over_, over_ != 0);
  run(heavy_, heavy_ != 0);
  run(shed_, shed_ != 0);
}

bool Shedding::due() const {
  if (shed_ != 0) return past(shed_, static_cast<uint16_t>(kShedStepMs));
  return past(heavy_, static_cast<uint16_t>(kShedHeavyMs)) || past(over_, static_cast<uint16_t>(kShedOverMs));
}

ShedOutcome Shedding::judge(const Load& total, Source source, const OutletState* outlets,
                            const uint16_t* currents_ma, uint8_t& index) {
  const bool over = total.exceeds(source);
  run(over_, over);
  run(heavy_, over && total.exceeds_half_more(source));
  run(shed_, over && shed_ != 0);
  if (!over) {
    const bool within = told_;
    told_ = false;
    futile_ = false;
    return within ? ShedOutcome::kWithin : ShedOutcome::kNone;
  }
  if (futile_ || !due()) return ShedOutcome::kNone;
  if (shed_ != 0 && static_cast<int32_t>(before_ma_) - total.current_ma < draw_ma_ / 2) {
    futile_ = true;
    return ShedOutcome::kFutile;
  }
  index = first_to_shed(outlets, currents_ma);
  if (index == kNoOutlet) {
    const bool first = !told_;
    told_ = true;
    return first ? ShedOutcome::kExhausted : ShedOutcome::kNone;
  }
  shed_ = 1;
  before_ma_ = total.current_ma;
  draw_ma_ = currents_ma[index];
  note_change(false);
  return ShedOutcome::kShed;
}

uint8_t Shedding::first_to_restore(const Load& total, Source source, const OutletState* outlets) const {
  uint8_t found = kNoOutlet;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (outlets[i].shed != Shed::kBudget) continue;
    if (found == kNoOutlet || settings_of(i).priority < settings_of(found).priority) found = i;
  }
  if (found == kNoOutlet || over_ != 0) return kNoOutlet;
  const Settings& settings = *step_now.settings;
  uint16_t wait_s = settings.restore_delay_s;
  if (restored_ && settings.min_on_s > wait_s) wait_s = settings.min_on_s;
  if (changed_.known && !changed_.past(static_cast<uint32_t>(wait_s) * 1000)) return kNoOutlet;
  const OutletState& outlet = outlets[found];
  if (step_now.now_ms - outlet.changed_ms < static_cast<uint32_t>(settings.min_off_s) * 1000)
    return kNoOutlet;
  const bool room = fits_well(total.current_ma, outlet.draw_ma, budget_ma(source)) &&
                    fits_well(total.power_w, outlet.draw_w, budget_w(source));
  return room ? found : kNoOutlet;
}

}  // namespace loadcenter
