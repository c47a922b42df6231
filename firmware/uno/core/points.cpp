// Generated from spec/ by scripts/generate_points.py: change it there.
// clang-format off
#include "points.hpp"

#include <stddef.h>

namespace loadcenter {

namespace {

const char kWords_preferred[] LOADCENTER_FLASH = "main\0backup\0";
const char kWords_transfer_mode[] LOADCENTER_FLASH = "isolate_first\0fast\0";
const char kWords_power_on[] LOADCENTER_FLASH = "last_state\0always_on\0always_off\0";
const char kWords_limit_action[] LOADCENTER_FLASH = "trip\0shed\0warn\0";
const char kWords_curve[] LOADCENTER_FLASH = "ni\0vi\0ei\0";

}  // namespace

const char kPduNames[] LOADCENTER_FLASH =
    "preferred\0auto_retransfer\0retransfer_delay_s\0max_transfers_per_hour\0sequence_ms\0transfer_mode\0idmt_reset_s\0budget_main_ma\0budget_backup_ma\0budget_main_mw\0budget_backup_mw\0restore_delay_s\0min_on_s\0min_off_s\0";
const char kOutletNames[] LOADCENTER_FLASH =
    "limit_ma\0limit_ms\0power_on\0limit_action\0limit_mw\0curve\0curve_ma\0curve_tms_permille\0priority\0protected\0";

const SettingRow kPduRows[kPduSettings] LOADCENTER_FLASH = {
  {kWords_preferred, offsetof(Settings, preferred), 1, 0, 1, 0},
  {nullptr, offsetof(Settings, auto_retransfer), 1, 0, 1, 1},
  {nullptr, offsetof(Settings, retransfer_delay_s), 2, 0, 3600, 30},
  {nullptr, offsetof(Settings, max_transfers_per_hour), 1, 1, 10, 6},
  {nullptr, offsetof(Settings, sequence_ms), 2, 0, 60000, 250},
  {kWords_transfer_mode, offsetof(Settings, transfer_mode), 1, 0, 1, 0},
  {nullptr, offsetof(Settings, idmt_reset_s), 1, 1, 60, 10},
  {nullptr, offsetof(Settings, budget_main_ma), 2, 500, 16000, 16000},
  {nullptr, offsetof(Settings, budget_backup_ma), 2, 500, 16000, 16000},
  {nullptr, offsetof(Settings, budget_main_mw), 4, 100, 4000, 4000},
  {nullptr, offsetof(Settings, budget_backup_mw), 4, 100, 4000, 4000},
  {nullptr, offsetof(Settings, restore_delay_s), 2, 1, 3600, 30},
  {nullptr, offsetof(Settings, min_on_s), 2, 0, 600, 5},
  {nullptr, offsetof(Settings, min_off_s), 2, 0, 3600, 10},
};

const SettingRow kOutletRows[kOutletSettings] LOADCENTER_FLASH = {
  {nullptr, offsetof(OutletSettings, limit_ma), 2, 100, 10000, 4000},
  {nullptr, offsetof(OutletSettings, limit_ms), 2, 20, 60000, 2000},
  {kWords_power_on, offsetof(OutletSettings, power_on), 1, 0, 2, 0},
  {kWords_limit_action, offsetof(OutletSettings, limit_action), 1, 0, 2, 0},
  {nullptr, offsetof(OutletSettings, limit_mw), 4, 1, 4000, 4000},
  {kWords_curve, offsetof(OutletSettings, curve), 1, 0, 2, 1},
  {nullptr, offsetof(OutletSettings, curve_ma), 2, 100, 10000, 4000},
  {nullptr, offsetof(OutletSettings, curve_tms_permille), 2, 50, 1500, 1000},
  {nullptr, offsetof(OutletSettings, priority), 1, 1, 8, 4},
  {nullptr, offsetof(OutletSettings, protected_), 1, 0, 1, 0},
};

const char kVerbWords[] LOADCENTER_FLASH =
    "switch\0cycle\0reset_trip\0lock\0transfer\0clear_lockout\0energy\0";

}  // namespace loadcenter
