// The heat of the outlets, in RAM that no start clears: a reset must not cool them down.
#pragma once

#include "../core/decision/decision.hpp"

namespace loadcenter {

void save_heat(const Decision& decision);  // each second
void load_heat(Decision& decision);        // where it is whole; else the stages of the EEPROM hold

}  // namespace loadcenter
