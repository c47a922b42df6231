"""The real firmware, at the pace of the clock: `Bridge` joins the emulator to a serial port, a keyboard and a plant.

One thread, a slice of a few milliseconds at a time: let the unit run, change what stands around it, carry the bytes,
tell what moved, wait for the clock. Nothing in it waits longer than a slice.
"""
