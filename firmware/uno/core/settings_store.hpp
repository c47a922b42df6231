// Settings in two copies in EEPROM. A new version is put together in the older copy, value by value, and
// becomes the newer one by its CRC: what is cut at any byte leaves the copy that runs. No memory holds a
// second set of settings.
#pragma once

#include <stdint.h>

#include "settings.hpp"

namespace loadcenter {

class SettingsStore {
 public:
  // Loads the newest whole copy, the factory's settings if there is none.
  void load(Settings& settings);

  // Each begins a piece of work that `step` does; nothing else may be begun until `busy` is false.
  void begin();                         // fill the older copy with the factory's values
  void put(const StoredValue& stored);  // keep one value in it
  void commit(uint32_t version);        // make it the newer one

  bool busy() const { return job_ != Job::kNone; }

  // Writes at most one byte; returns whether it did. To be called while the EEPROM is ready.
  bool step();

  // After a commit: whether the copy reads back as it was written. Then `load` takes it.
  bool committed() const { return committed_; }

 private:
  enum class Job : uint8_t { kNone, kFill, kPut, kCommit };

  uint16_t older() const;
  bool write(uint16_t address, uint8_t byte);
  uint8_t commit_byte(uint8_t at) const;
  uint16_t reckon_crc() const;
  void finish();

  uint32_t value_;  // of a value, or the version
  uint16_t crc_;    // of the copy that is committed
  Job job_;
  uint8_t at_;
  uint8_t left_;
  uint8_t newest_;  // copy 0 or 1
  uint8_t serial_;  // of the newest; rolls over
  bool committed_;
};

}  // namespace loadcenter
