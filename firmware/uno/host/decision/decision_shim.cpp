// The decision layer for ctypes: inputs and orders in, drives, permissions, events and answers out.
#include <cstring>
#include <vector>

#include "../../core/decision/decision.hpp"

namespace {

struct AnswerGiven {
  uint8_t key;
  uint8_t status;
  uint8_t code;
};

loadcenter::Decision decision;
std::vector<loadcenter::Event> events;
std::vector<AnswerGiven> answers;

}  // namespace

namespace loadcenter {

uint8_t flash_u8(const void* address) { return *static_cast<const uint8_t*>(address); }

uint16_t flash_u16(const void* address) {
  uint16_t value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

uint32_t flash_u32(const void* address) {
  uint32_t value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

void take_event(const Event& event) { events.push_back(event); }

void take_answer(uint8_t key, Status status, Result code) {
  answers.push_back({key, static_cast<uint8_t>(status), static_cast<uint8_t>(code)});
}

}  // namespace loadcenter

using namespace loadcenter;

extern "C" {

unsigned decision_size_of_settings() { return sizeof(Settings); }
unsigned decision_size_of_inputs() { return sizeof(Inputs); }
unsigned decision_size_of_command() { return sizeof(Command); }
unsigned decision_size_of_event() { return sizeof(Event); }
unsigned decision_size_of_kept() { return sizeof(KeptOutlet); }

void decision_start(const KeptOutlet* kept, const Settings* settings, uint32_t now_ms) {
  decision.start(kept, *settings, now_ms);
}

void decision_step(const Inputs* inputs, const Settings* settings, Command* orders, uint8_t count,
                   uint32_t now_ms) {
  events.clear();
  answers.clear();
  decision.step(*inputs, *settings, orders, count, now_ms);
}

const Drives* decision_drives() { return &decision.drives(); }
const Standing* decision_standing() { return &decision.standing(); }
void decision_kept(uint8_t index, KeptOutlet* kept) { *kept = decision.kept(index); }
uint8_t decision_mode() { return static_cast<uint8_t>(decision.transfer().mode()); }
unsigned decision_events() { return static_cast<unsigned>(events.size()); }
const Event* decision_event(unsigned at) { return &events[at]; }
unsigned decision_answers() { return static_cast<unsigned>(answers.size()); }
const AnswerGiven* decision_answer(unsigned at) { return &answers[at]; }

unsigned decision_rows_used() { return rows_used; }
unsigned decision_rungs_used() { return rungs_used; }
unsigned decision_ranks_used() { return ranks_used; }
}
