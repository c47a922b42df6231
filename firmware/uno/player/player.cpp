#include "player.hpp"

#include "../core/settings.hpp"

namespace loadcenter {

Player player;

namespace {

Decision decision;
uint32_t step_number;  // since the start
bool spoke;            // the step under way has told something
uint8_t image[kSettingsImage];

uint8_t read_image(uint16_t, uint8_t at) { return image[at]; }

void put_number(int32_t number) {
  put_byte(' ');
  uint32_t left = static_cast<uint32_t>(number);
  if (number < 0) {
    put_byte('-');
    left = 0 - left;
  }
  char digits[10];
  uint8_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left != 0);
  while (count != 0) put_byte(digits[--count]);
}

void begin_line(char kind) {
  spoke = true;
  put_byte(kind);
  put_number(static_cast<int32_t>(step_number));
}

void end_line() { put_byte('\n'); }

bool same(const KeptOutlet& one, const KeptOutlet& two) {
  return one.wanted == two.wanted && one.locked == two.locked && one.heat_stage == two.heat_stage &&
         one.cause == two.cause && one.trip == two.trip;
}

bool same(const Drives& one, const Drives& two) {
  return one.changeover == two.changeover && one.isolator_closed == two.isolator_closed &&
         one.outlets == two.outlets;
}

bool same(const Standing& one, const Standing& two) {
  return one.leave == two.leave && one.shed == two.shed && one.at_once_permille == two.at_once_permille &&
         one.masked == two.masked && one.quiet == two.quiet;
}

}  // namespace

void take_event(const Event& event) {
  begin_line('E');
  const uint8_t head[] = {event.code, event.outlet, event.source, event.cause, event.because};
  for (const uint8_t number : head) put_number(number);
  for (uint8_t i = 0; i < event.count; ++i) put_number(event.number[i]);
  end_line();
}

void take_answer(uint8_t key, Status status, Result code) {
  begin_line('A');
  put_number(key);
  put_number(static_cast<uint8_t>(status));
  put_number(static_cast<uint8_t>(code));
  end_line();
}

void Player::begin() {
  *this = Player();
  for (uint8_t at = 0; at < kSettingsImage; ++at) image[at] = factory_byte(at);
}

bool Player::take_setting() {
  StoredValue stored;
  if (count_ != 3 || check_setting(number_[0], number_[1], number_[2], stored) != Check::kTaken) return false;
  for (uint8_t i = 0; i < stored.size; ++i)
    image[stored.at + i] = static_cast<uint8_t>(stored.value >> (8 * i));
  return load_settings(settings_, read_image, 0);
}

bool Player::take_kept() {
  if (count_ != 6 || number_[0] < 1 || number_[0] > kOutlets) return false;
  kept_[number_[0] - 1] = {number_[1] != 0, number_[2] != 0, static_cast<uint8_t>(number_[3]),
                           static_cast<uint8_t>(number_[4]), static_cast<uint8_t>(number_[5])};
  return true;
}

bool Player::take_inputs() {
  if (count_ != kSources * 6 + kOutlets * 2 + 3) return false;
  const uint32_t* from = number_;
  for (SourceInput& source : inputs_.source) {
    source.voltage_mv = static_cast<int32_t>(*from++);
    source.half_low_mv = static_cast<int32_t>(*from++);
    source.half_high_mv = static_cast<int32_t>(*from++);
    source.frequency_mhz = static_cast<int32_t>(*from++);
    source.amplitude_lost = *from++ != 0;
    source.detection_us = *from++;
  }
  for (int32_t& current_ma : inputs_.current_ma) current_ma = static_cast<int32_t>(*from++);
  for (int32_t& power_mw : inputs_.power_mw) power_mw = static_cast<int32_t>(*from++);
  inputs_.live = *from++ != 0;
#if LOADCENTER_DIAGNOSTICS
  inputs_.phase_mdeg = static_cast<int32_t>(*from);
#endif
  ++from;
  inputs_.sensor_fault = static_cast<OutletMask>(*from);
  return true;
}

bool Player::take_acted() {
  if (count_ != 4 + kOutlets) return false;
  Acted& acted = inputs_.acted;
  acted.swung = number_[0] != 0;
  acted.opened = number_[1] != 0;
  acted.tripped = static_cast<OutletMask>(number_[2]);
  acted.masked = static_cast<OutletMask>(number_[3]);
  for (uint8_t i = 0; i < kOutlets; ++i) acted.peak_ma[i] = static_cast<int32_t>(number_[4 + i]);
  return true;
}

bool Player::take_order() {
  if (count_ != 6 || ordered_ == kOrders) return false;
  orders_[ordered_++] = {static_cast<uint8_t>(number_[0]),
                         static_cast<Verb>(number_[1]),
                         static_cast<uint8_t>(number_[2]),
                         number_[3] != 0,
                         false,
                         static_cast<Source>(number_[4]),
                         number_[5]};
  return true;
}

void Player::start() {
  now_ms_ = number_[0];
  step_number = 0;
  load_settings(settings_, read_image, 0);
  decision.start(kept_, settings_, now_ms_);
  drives_ = decision.drives();
  standing_ = decision.standing();
  for (uint8_t i = 0; i < kOutlets; ++i) kept_[i] = decision.kept(i);
}

void Player::tell_drives() {
  const Drives& drives = decision.drives();
  const Standing& standing = decision.standing();
  if (same(drives, drives_) && same(standing, standing_)) return;
  drives_ = drives;
  standing_ = standing;
  begin_line('D');
  put_number(index(drives.changeover));
  put_number(drives.isolator_closed);
  put_number(drives.outlets);
  put_number(standing.leave);
  put_number(standing.shed);
  put_number(standing.at_once_permille);
  put_number(standing.masked);
  put_number(standing.quiet);
  end_line();
}

void Player::tell_kept() {
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const KeptOutlet kept = decision.kept(i);
    if (same(kept, kept_[i])) continue;
    kept_[i] = kept;
    begin_line('K');
    put_number(i + 1);
    put_number(kept.wanted);
    put_number(kept.locked);
    put_number(kept.heat_stage);
    put_number(kept.cause);
    put_number(kept.trip);
    end_line();
  }
}

void Player::make_step(uint32_t now_ms) {
  ++step_number;
  spoke = false;
  const uint16_t before = cycle_count();
  decision.step(inputs_, settings_, orders_, ordered_, now_ms);
  const uint16_t cycles = static_cast<uint16_t>(cycle_count() - before);
  // One that tells something waits for the line: that is not its own time.
  if (!spoke && cycles > most_cycles_) most_cycles_ = cycles;
  ordered_ = 0;
  inputs_.acted = Acted();
  tell_drives();
  tell_kept();
}

bool Player::make_steps() {
  if (count_ != 2) return false;
  most_cycles_ = 0;
  for (uint32_t left = number_[0]; left != 0; --left) {
    now_ms_ += number_[1];
    make_step(now_ms_);
  }
  return true;
}

bool Player::play() {
  switch (kind_) {
    case 'S':
      return take_setting();
    case 'K':
      return take_kept();
    case 'B':
      if (count_ != 1) return false;
      start();
      return true;
    case 'I':
      return take_inputs();
    case 'A':
      return take_acted();
    case 'O':
      return take_order();
    case 'N':
      return make_steps();
#ifdef LOADCENTER_COVERAGE
    case 'C':
      put_byte('C');
      put_number(rows_used);
      put_number(rungs_used);
      put_number(ranks_used);
      end_line();
      return true;
#endif
    default:
      return false;
  }
}

void Player::take(char byte) {
  const bool digit = byte >= '0' && byte <= '9';
  if (digit || byte == '-') {
    if (!within_ && count_ == kNumbers) failed_ = true;
    if (failed_) return;
    if (!within_) number_[count_] = 0;
    within_ = true;
    negative_ = negative_ || !digit;
    if (digit) number_[count_] = number_[count_] * 10 + static_cast<uint32_t>(byte - '0');
    return;
  }
  if (within_) {
    if (negative_) number_[count_] = 0 - number_[count_];
    ++count_;
    within_ = false;
    negative_ = false;
  }
  if (byte == ' ') return;
  if (byte != '\n') {
    kind_ = byte;
    return;
  }
  put_byte(!failed_ && play() ? '.' : '?');
  put_number(most_cycles_);
  end_line();
  kind_ = 0;
  count_ = 0;
  failed_ = false;
}

}  // namespace loadcenter
