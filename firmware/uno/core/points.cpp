// Generated from spec/ by scripts/generate_points.py: change it there.
// clang-format off
#include "points.hpp"

#include <stddef.h>

namespace loadcenter {

const SettingRow kPduRows[kPduSettings] LOADCENTER_FLASH = {
  {offsetof(Settings, preferred), 1, 0, 1, 0},
  {offsetof(Settings, auto_retransfer), 1, 0, 1, 1},
  {offsetof(Settings, retransfer_delay_s), 2, 0, 3600, 30},
  {offsetof(Settings, max_transfers_per_hour), 1, 1, 10, 6},
  {offsetof(Settings, sequence_ms), 2, 0, 60000, 250},
  {offsetof(Settings, transfer_mode), 1, 0, 1, 0},
  {offsetof(Settings, idmt_reset_s), 1, 1, 60, 10},
  {offsetof(Settings, budget_main_ma), 2, 500, 16000, 16000},
  {offsetof(Settings, budget_backup_ma), 2, 500, 16000, 16000},
  {offsetof(Settings, budget_main_w), 2, 100, 4000, 4000},
  {offsetof(Settings, budget_backup_w), 2, 100, 4000, 4000},
  {offsetof(Settings, restore_delay_s), 2, 1, 3600, 30},
  {offsetof(Settings, min_on_s), 2, 0, 600, 5},
  {offsetof(Settings, min_off_s), 2, 0, 3600, 10},
};

const SettingRow kOutletRows[kOutletSettings] LOADCENTER_FLASH = {
  {offsetof(OutletSettings, limit_ma), 2, 100, 10000, 4000},
  {offsetof(OutletSettings, limit_ms), 2, 20, 60000, 2000},
  {offsetof(OutletSettings, power_on), 1, 0, 2, 0},
  {offsetof(OutletSettings, limit_action), 1, 0, 2, 0},
  {offsetof(OutletSettings, limit_w), 2, 1, 4000, 4000},
  {offsetof(OutletSettings, curve), 1, 0, 2, 1},
  {offsetof(OutletSettings, curve_ma), 2, 100, 10000, 4000},
  {offsetof(OutletSettings, curve_tms_permille), 2, 50, 1500, 1000},
  {offsetof(OutletSettings, priority), 1, 1, 8, 4},
  {offsetof(OutletSettings, protected_), 1, 0, 1, 0},
};

}  // namespace loadcenter
