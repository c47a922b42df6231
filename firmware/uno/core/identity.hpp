// What the firmware says of itself.
#pragma once

#define LOADCENTER_FIRMWARE "0.1.0"

namespace loadcenter {

constexpr unsigned char kContract = 1;  // version of spec/serial.md

}  // namespace loadcenter
