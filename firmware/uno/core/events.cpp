#include "events.hpp"

namespace loadcenter {

namespace {

// length | code | outlet and source | cause | because | at_ms, 4 bytes | numbers
constexpr uint8_t kEventHead = 9;
constexpr uint8_t kNumberMax = 5;  // bytes that one takes at most

// Numbers are packed seven bits a byte, lowest first, with the sign in the lowest bit. This one stands for
// kUnknown: no number is packed so, because its last byte adds nothing.
constexpr uint8_t kMore = 0x80;
constexpr uint8_t kUnknownPacked[2] = {kMore, 0};

uint32_t folded(int32_t value) {
  const uint32_t bits = static_cast<uint32_t>(value);
  return value < 0 ? ~(bits << 1) : bits << 1;
}

int32_t unfolded(uint32_t bits) {
  const uint32_t value = bits & 1 ? ~(bits >> 1) : bits >> 1;
  return static_cast<int32_t>(value);
}

uint8_t packed_size(int32_t value) {
  if (value == kUnknown) return 2;
  uint8_t size = 1;
  for (uint32_t bits = folded(value); bits >= kMore; bits >>= 7) ++size;
  return size;
}

}  // namespace

// The place `by` bytes behind `at`.
uint8_t EventRing::on(uint8_t at, uint8_t by) {
  const uint16_t place = static_cast<uint16_t>(at + by);
  return static_cast<uint8_t>(place < kPool ? place : place - kPool);
}

void EventRing::write(uint8_t byte) {
  pool_[on(first_, used_)] = byte;
  ++used_;
}

void EventRing::write_packed(int32_t value) {
  if (value == kUnknown) {
    write(kUnknownPacked[0]);
    write(kUnknownPacked[1]);
    return;
  }
  uint32_t bits = folded(value);
  for (; bits >= kMore; bits >>= 7) write(static_cast<uint8_t>(bits | kMore));
  write(static_cast<uint8_t>(bits));
}

uint8_t EventRing::read(uint8_t& at) const {
  const uint8_t byte = pool_[at];
  at = on(at, 1);
  return byte;
}

int32_t EventRing::read_packed(uint8_t& at) const {
  uint32_t bits = 0;
  uint8_t shift = 0;
  for (uint8_t byte = kMore; byte & kMore; shift = static_cast<uint8_t>(shift + 7)) {
    byte = read(at);
    if (byte == kUnknownPacked[1] && shift != 0) return kUnknown;
    bits |= static_cast<uint32_t>(byte & 0x7F) << shift;
  }
  return unfolded(bits);
}

uint16_t EventRing::add(const Event& event) {
  uint8_t size = kEventHead;
  for (uint8_t i = 0; i < event.count; ++i) size = static_cast<uint8_t>(size + packed_size(event.number[i]));
  while (used_ + size > kPool) {
    remove();
    ++dropped_;
  }
  write(size);
  write(event.code);
  write(static_cast<uint8_t>(event.outlet << 2 | event.source));
  write(event.cause);
  write(event.because);
  for (uint8_t shift = 0; shift < 32; shift = static_cast<uint8_t>(shift + 8)) {
    write(static_cast<uint8_t>(event.at_ms >> shift));
  }
  for (uint8_t i = 0; i < event.count; ++i) write_packed(event.number[i]);
  ++held_;
  last_ = following(last_);
  return last_;
}

void EventRing::front(Event& event) const {
  uint8_t at = first_;
  const uint8_t size = read(at);
  event.code = read(at);
  const uint8_t where = read(at);
  event.outlet = static_cast<uint8_t>(where >> 2);
  event.source = where & 3;
  event.cause = read(at);
  event.because = read(at);
  event.at_ms = 0;
  for (uint8_t shift = 0; shift < 32; shift = static_cast<uint8_t>(shift + 8)) {
    event.at_ms |= static_cast<uint32_t>(read(at)) << shift;
  }
  const uint8_t end = on(first_, size);
  for (event.count = 0; at != end && event.count < kEventNumbersMax; ++event.count) {
    event.number[event.count] = read_packed(at);
  }
}

void EventRing::remove() {
  const uint8_t size = pool_[first_];
  first_ = on(first_, size);
  used_ = static_cast<uint8_t>(used_ - size);
  before_ = following(before_);
  --held_;
}

void EventRing::acknowledge(uint16_t seq) {
  if (held_ != 0 && seq == oldest()) remove();
}

static_assert(kEventHead + kNumberMax * kEventNumbersMax <= UINT8_MAX, "a length is a byte");

}  // namespace loadcenter
