// Coils at their pins. Both are called with interrupts off.
#pragma once

#include "../core/relays.hpp"

namespace loadcenter {

void begin_coils();                    // outputs, without current
void write_coils(const Coils& coils);  // what opens moves before what closes

}  // namespace loadcenter
