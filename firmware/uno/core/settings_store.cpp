#include "settings_store.hpp"

#include "crc.hpp"
#include "eeprom_map.hpp"
#include "ports.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kSerialAt = 2;
constexpr uint8_t kVersionAt = 3;
constexpr uint8_t kCrcAt = kSettingsHead + kSettingsImage;

uint16_t base_of(uint8_t copy) { return static_cast<uint16_t>(copy * kSettingsCopy); }

uint8_t read(uint16_t base, uint8_t at) { return eeprom_read(static_cast<uint16_t>(base + at)); }

uint8_t read_image(uint16_t base, uint8_t at) { return read(base, static_cast<uint8_t>(kSettingsHead + at)); }

uint16_t read_u16(uint16_t base, uint8_t at) {
  return static_cast<uint16_t>(read(base, at) | read(base, static_cast<uint8_t>(at + 1)) << 8);
}

uint32_t read_version(uint16_t base) {
  return read_u16(base, kVersionAt) | static_cast<uint32_t>(read_u16(base, kVersionAt + 2)) << 16;
}

bool whole(uint16_t base) {
  uint16_t crc = kCrcStart;
  for (uint8_t at = 0; at < kCrcAt; ++at) crc = crc16(crc, read(base, at));
  return read_u16(base, 0) == kSettingsLayout && read_u16(base, kCrcAt) == crc;
}

}  // namespace

void SettingsStore::load(Settings& settings) {
  job_ = Job::kNone;
  const bool sound[2] = {whole(base_of(0)), whole(base_of(1))};
  const uint8_t serial[2] = {read(base_of(0), kSerialAt), read(base_of(1), kSerialAt)};
  const bool second_newer = static_cast<int8_t>(static_cast<uint8_t>(serial[1] - serial[0])) > 0;
  newest_ = sound[1] && (!sound[0] || second_newer) ? 1 : 0;
  // A copy with a value that is out of range was never written by this firmware: then the other one, then the
  // factory's.
  for (uint8_t tries = 0; tries < 2; ++tries) {
    const uint16_t base = base_of(newest_);
    if (sound[newest_] && load_settings(settings, read_image, base)) {
      settings.version = read_version(base);
      serial_ = serial[newest_];
      return;
    }
    newest_ ^= 1;
  }
  serial_ = 0;
  set_factory(settings);
}

void SettingsStore::begin() {
  job_ = Job::kFill;
  at_ = kSettingsHead;
  left_ = kSettingsImage;
}

void SettingsStore::put(const StoredValue& stored) {
  job_ = Job::kPut;
  at_ = static_cast<uint8_t>(kSettingsHead + stored.at);
  left_ = stored.size;
  value_ = stored.value;
}

void SettingsStore::commit(uint32_t version) {
  job_ = Job::kCommit;
  at_ = 0;
  left_ = kSettingsHead + 2;
  value_ = version;
  committed_ = false;
  crc_ = reckon_crc();
}

uint16_t SettingsStore::older() const { return base_of(newest_ ^ 1); }

bool SettingsStore::write(uint16_t address, uint8_t byte) {
  if (eeprom_read(address) == byte) return false;
  eeprom_write(address, byte);
  return true;
}

uint8_t SettingsStore::commit_byte(uint8_t at) const {
  if (at < kSerialAt) return static_cast<uint8_t>(kSettingsLayout >> (8 * at));
  if (at == kSerialAt) return static_cast<uint8_t>(serial_ + 1);
  if (at < kSettingsHead) return static_cast<uint8_t>(value_ >> (8 * (at - kVersionAt)));
  return static_cast<uint8_t>(crc_ >> (8 * (at - kCrcAt)));
}

uint16_t SettingsStore::reckon_crc() const {
  uint16_t crc = kCrcStart;
  for (uint8_t at = 0; at < kSettingsHead; ++at) crc = crc16(crc, commit_byte(at));
  for (uint8_t at = kSettingsHead; at < kCrcAt; ++at) crc = crc16(crc, read(older(), at));
  return crc;
}

bool SettingsStore::step() {
  while (left_ != 0 && job_ != Job::kNone) {
    const uint8_t at = at_++;
    --left_;
    uint8_t byte;
    if (job_ == Job::kFill) {
      byte = factory_byte(static_cast<uint8_t>(at - kSettingsHead));
    } else if (job_ == Job::kPut) {
      byte = static_cast<uint8_t>(value_);
      value_ >>= 8;
    } else {
      byte = commit_byte(at);
      if (at_ == kSettingsHead) at_ = kCrcAt;
    }
    if (write(static_cast<uint16_t>(older() + at), byte)) return true;
  }
  finish();
  return false;
}

void SettingsStore::finish() {
  if (job_ == Job::kCommit && whole(older())) {
    newest_ ^= 1;
    ++serial_;
    committed_ = true;
  }
  job_ = Job::kNone;
}

}  // namespace loadcenter
