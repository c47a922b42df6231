#include "outcome.hpp"

namespace loadcenter {

Journal& Journal::begin(EventCode code, uint8_t outlet, uint8_t source, Cause cause) {
  event_.code = static_cast<uint8_t>(code);
  event_.outlet = outlet;
  event_.source = source;
  event_.cause = static_cast<uint8_t>(cause);
  event_.because = 0;
  event_.count = 0;
  event_.at_ms = now_ms_;
  return *this;
}

Journal& Journal::because(Position position) {
  const uint16_t before = static_cast<uint16_t>(emitted_ - position.number);
  if (position.known && before <= UINT8_MAX) event_.because = static_cast<uint8_t>(before);
  return *this;
}

Position Journal::end() {
  outcome_.event(event_);
  return {emitted_++, true};
}

}  // namespace loadcenter
