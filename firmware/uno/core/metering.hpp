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
#include "sampler.hpp"

namespace loadcenter {

constexpr uint8_t kSecondBlocks = 100;

// What a second has come to.
struct Reading1s {
  int32_t voltage_mv[kSources];
  int32_t current_ma[kOutlets];
  int32_t power_mw[kOutlets];
};

// Begins zeroed (static storage) and with `begin`.
class Metering {
 public:
  void begin(const Calibration& calibration, Sampler& sampler);

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
  struct Sums {
    int32_t sum;
    uint32_t squares;
  };

  int32_t current_of(uint8_t k, const OutletChannel& channel) const;
  void fill(uint8_t s, const SourceChannel& channel, const Seen& seen, SourceInput& input);
  void fill_deeds(const Seen& seen, Acted& acted) const;
  int32_t phase_mdeg() const;
  int32_t milliwatts(uint8_t k, int32_t power, uint8_t windows) const;
  void collect(Sampler& sampler, Inputs& inputs);
  bool end_second(Sampler& sampler, uint8_t channel);
  void end_outlet(uint8_t k, OutletChannel& channel);
  void end_source(uint8_t s, SourceChannel& channel);
  void learn(uint8_t k, OutletChannel& channel);
  void judge(uint8_t k, const OutletChannel& channel);
  void take_reference(Sampler& sampler);
  void set_scales(const Sampler& sampler);

  const Calibration* calibration_;
  uint32_t microvolts_[kSources];  // in a count, with calibration and band gap
  uint32_t watts_[kOutlets];       // mW in a count of power over one window, in 2^28ths
  uint16_t nominal_peak_[kSources];
  uint16_t limit_permille_[kSources];
  uint16_t noise_[kOutlets];   // mean square without current, in 1024ths
  uint8_t learned_[kOutlets];  // seconds from which it was learned
  uint16_t gain_[kOutlets];    // of amperes: 32768 is 1
  int32_t window_power_[kOutlets];
  int32_t second_power_[kOutlets];
  Sums outlet_[kOutlets];
  Sums source_[kSources];
  Frequency frequency_[kSources];
  uint8_t age_[kOutlets + kSources];  // blocks in the second of each channel
  uint8_t window_age_;
  uint16_t begun_;     // channels whose seconds run in their turn
  OutletMask closed_;  // outlets that were closed in their second
  OutletMask closed_before_;
  OutletMask fault_;
  Source scaled_for_;
};

}  // namespace loadcenter
