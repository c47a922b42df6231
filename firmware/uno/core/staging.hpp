// New settings on their way in: `S` frames, one value each, between one that begins and one that ends them
// (SER-40).
#pragma once

#include <stdint.h>

#include "commands.hpp"
#include "frames.hpp"
#include "settings_store.hpp"

namespace loadcenter {

class Staging {
 public:
  // Takes one frame. A value that is refused refuses all of its version.
  void take(const Frame& frame, SettingsStore& store, Commands& commands);

  // To be called once a pass: whether a version has just been kept. Then it is to be loaded.
  bool kept(const SettingsStore& store);

  // What is to be said of the last frame; kNone while it is being worked on, or when it was said.
  Status to_say() const { return say_ ? said_ : Status::kNone; }
  void said() { say_ = false; }
  uint16_t seq() const { return seq_; }
  uint8_t code() const { return code_; }

 private:
  enum class Work : uint8_t { kNone, kValue, kCommit };
  enum class Ask : uint8_t { kNothing, kBegin, kValue, kEnd, kMalformed };

  static Ask read(const Frame& frame, StoredValue& stored);
  void work(Work work) { work_ = work; }
  void say(Status status, uint8_t code);

  uint32_t version_;
  uint16_t seq_;
  Work work_;
  Status said_;
  uint8_t code_;
  bool open_;  // values are taken
  bool say_;
};

}  // namespace loadcenter
