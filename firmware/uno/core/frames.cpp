#include "frames.hpp"

#include "crc.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kHead = 2;  // SEQ and SESSION
constexpr uint8_t kCrcDigits = 4;

// Returns the value of a capital hexadecimal digit, more than 15 if it is none.
uint8_t hex(uint8_t byte) {
  const uint8_t digit = static_cast<uint8_t>(byte - '0');
  if (digit <= 9) return digit;
  return static_cast<uint8_t>(byte - 'A') <= 5 ? static_cast<uint8_t>(byte - 'A' + 10) : UINT8_MAX;
}

}  // namespace

bool LineReader::take_digit(uint8_t digit) {
  constexpr uint32_t kTenth = UINT32_MAX / 10;
  if (number_ > kTenth || (number_ == kTenth && digit > UINT32_MAX % 10)) return false;
  number_ = number_ * 10 + digit;
  return true;
}

// Puts the number that has ended into its place; false if it is too large for that.
bool LineReader::end_number() {
  const uint8_t at = numbers_;
  if (numbers_ != UINT8_MAX) ++numbers_;
  if (at >= kHead) {
    if (at < kHead + kArguments) frame_.number[at - kHead] = number_;
    ++frame_.count;
    return true;
  }
  (at == 0 ? frame_.seq : frame_.session) = static_cast<uint16_t>(number_);
  return number_ <= UINT16_MAX;
}

LineReader::Place LineReader::place_after(uint8_t byte) {
  if (place_ == Place::kSpoiled) return Place::kSpoiled;
  if (place_ == Place::kMark) {
    const uint8_t digit = hex(byte);
    before_ = static_cast<uint16_t>(before_ ^ static_cast<uint16_t>(digit) << (4 * --left_));
    if (digit > 15) return Place::kSpoiled;
    if (left_ != 0) return Place::kMark;
    return before_ == 0 ? Place::kChecked : Place::kSpoiled;
  }
  const uint16_t before = crc_;
  crc_ = crc16(crc_, byte);
  if (place_ == Place::kNothing) {
    frame_.type = static_cast<char>(byte);
    frame_.count = 0;
    numbers_ = 0;
    for (uint32_t& number : frame_.number) number = kAbsent;
    crc_ = crc16(kCrcStart, byte);
    return byte >= 'A' && byte <= 'Z' ? Place::kType : Place::kSpoiled;
  }
  const bool behind_number = place_ == Place::kZero || place_ == Place::kDigit;
  if (byte == ' ') {
    const bool stands = place_ == Place::kType || (behind_number && end_number());
    before_ = before;
    number_ = 0;
    return stands ? Place::kSpace : Place::kSpoiled;
  }
  if (byte == '*') {
    left_ = kCrcDigits;
    return place_ == Place::kSpace && numbers_ >= kHead ? Place::kMark : Place::kSpoiled;
  }
  const uint8_t digit = static_cast<uint8_t>(byte - '0');
  if (digit > 9 || (place_ != Place::kSpace && place_ != Place::kDigit) || !take_digit(digit))
    return Place::kSpoiled;
  return number_ == 0 ? Place::kZero : Place::kDigit;
}

LineReader::Fate LineReader::take(uint8_t byte) {
  if (byte != '\n') {
    place_ = place_after(byte);
    return Fate::kNothing;
  }
  const Place place = place_;
  place_ = Place::kNothing;
  if (place == Place::kNothing) return Fate::kNothing;
  return place == Place::kChecked ? Fate::kFrame : Fate::kThrown;
}

}  // namespace loadcenter
