"""Pure values and rules of power distribution. No clock, no input, no output: `now` is always an argument."""
