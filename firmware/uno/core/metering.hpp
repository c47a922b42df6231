// From sums of blocks to volts, amperes, watts and hertz.
//
// Two windows are reckoned: of the last whole cycles (20 ms at 50 Hz, 50 ms at 60 Hz) at each block, for the
// decision layer; and of a second, which is whole cycles at both, for people. Their noise is learned while an
// outlet is open and subtracted. Whether the mean of a current is direct current or drift of its sensor, no
// sample can tell: up to 0.15 A it counts as drift, because a half-wave load draws more.
#pragma once

#include <stdint.h>

#include "calibration.hpp"
#include "frequency.hpp"
#include "moments.hpp"
#include "sampler.hpp"

namespace loadcenter {

// What a second has come to.
struct Reading1s {
  int32_t voltage_mv[kSources];
  int32_t current_ma[kOutlets];
  int32_t power_mw[kOutlets];
};

// Begins zeroed (static storage) and with `begin`.
class Metering {
 public:
  void begin(Sampler& sampler);

  // At the end of each block, before the next one ends. Fills `inputs`, of which `power_mw` stays from one
  // window to the next. Returns the outlet, from 1, of which a second has just become whole; 0 if none. Each
  // channel ends its second at a block of its own, so that the work is spread.
  uint8_t take(Sampler& sampler, const Seen& seen, Inputs& inputs);

  // Sets the limits of the two-point detectors to what the standing of the next step says.
  void limit(Sampler& sampler, const Standing& standing, Source active);

  Reading1s second;
  uint16_t reference;    // of the band gap, in 64ths of a count; 0 until it is known
  bool reference_fault;  // it is where no supply of the board puts it

 private:
  struct OutletMeter {
    Sums second;
    int32_t second_power;
    int32_t window_power;
    uint32_t unit;    // mA in a count, in 2^20ths
    uint32_t watts;   // mW in a count of power over one window, in 2^28ths
    uint16_t noise;   // mean square without current, in 256ths
    int16_t rest;     // by which the zero is off, in 256ths of a count
    uint8_t learned;  // seconds from which it was learned
  };

  struct SourceMeter {
    Sums second;
    Frequency frequency;
    uint32_t unit;  // mV in a count, in 2^20ths, with calibration and band gap
    uint16_t nominal_peak;
    uint16_t limit_permille;
  };

  int32_t current_of(const OutletMeter& meter, const OutletChannel& channel) const;
  void fill(uint8_t s, const SourceChannel& channel, const Seen& seen, SourceInput& input);
#if LOADCENTER_DIAGNOSTICS
  int32_t phase_mdeg() const;
#endif
  bool take_outlet(uint8_t k, Sampler& sampler, Inputs& inputs);
  void take_source(uint8_t s, Sampler& sampler);
  void end_outlet(uint8_t k, OutletChannel& channel);
  void end_source(uint8_t s, SourceChannel& channel);
  void judge(const OutletChannel& channel, const Moments& moments);
  void learn(OutletMeter& meter, OutletChannel& channel, const Moments& moments);
  void take_reference(Sampler& sampler);
  void set_scales(const Sampler& sampler);

  uint8_t window_blocks_;
  OutletMask closed_;  // outlets that were closed in their second
  OutletMask closed_before_;
  OutletMask fault_;
  Source scaled_for_;
  OutletMeter outlet_[kOutlets];
  SourceMeter source_[kSources];
};

}  // namespace loadcenter
