// Commands that have come over the line: taken once each, handed on in their order, answered as often as
// asked (SER-21).
#pragma once

#include <stdint.h>

#include "points.hpp"

namespace loadcenter {

// A command as it is handed to the decision layer.
struct Command {
  uint8_t key;  // under which it is answered
  Verb verb;
  uint8_t outlet;  // from 1; 0 where the verb needs none, and for all of them in an emergency
  bool on;
  bool emergency;  // `X`: off, ahead of everything, also where locked; its pins are open already
  Source source;
  uint32_t off_ms;
};

enum class Status : uint8_t { kNone = 0, kAccepted = 1, kConfirmed = 2, kRejected = 3 };

// What is said of a command.
struct Answer {
  uint16_t seq;
  Status status;
  uint8_t code;  // a result of spec/codes.toml
};

class Commands {
 public:
  enum class Known : uint8_t {
    kNew,       // not seen before, and newer than all that were
    kAnswered,  // seen before: its answer goes out again
    kOld,       // not newer than the last one, and forgotten
  };

  // Judges the number of a frame, and has the answer sent again where there is one.
  Known judge(uint16_t seq);

  bool is_new(uint16_t seq) const;         // newer than all that were taken
  uint16_t last() const { return last_; }  // newest number that was taken

  // Notes that `seq` was taken by settings.
  void note(uint16_t seq) { last_ = seq; }

  // Notes a command: one for which there is no answer yet, or one that ends at once. False, and nothing
  // noted, while too many are under way: it will be sent again.
  bool open(uint16_t seq);
  bool end(uint16_t seq, Status status, uint8_t code);

  // Answers a frame that is none of this start's commands, and forgets it.
  void turn_away(uint16_t seq, uint8_t code) { stray_ = {seq, Status::kRejected, code}; }

  // Puts a command into the queue, in which there must be room.
  bool room() const { return queued_ < kQueue; }
  void push(const Command& command);
  bool pop(Command& command);

  // Ends all that is queued as superseded and opens `seq` whatever else is under way.
  void clear_for(uint16_t seq);

  // Says how the command of `key` stands.
  void answer(uint8_t key, Status status, uint8_t code);

  // Takes an answer that is to be sent; false if there is none.
  bool take_answer(Answer& answer);

 private:
  static constexpr uint8_t kKept = 6;
  static constexpr uint8_t kQueue = 3;
  static constexpr uint8_t kToSend = 0x80;  // beside the status
  static constexpr uint8_t kUsed = 0x40;    // likewise

  struct Entry {
    uint16_t seq;
    uint8_t status;
    uint8_t code;
  };

  Entry* find(uint16_t seq);
  Entry* oldest_ended();
  static void keep(Entry& entry, uint16_t seq, Status status, uint8_t code);

  Answer stray_;
  uint16_t last_;
  uint8_t queued_;
  Entry kept_[kKept];
  Command queue_[kQueue];
};

}  // namespace loadcenter
