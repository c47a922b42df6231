"""Puts a ROMFS image in place of an ESP8266's flash, and starts the program `up_host` that is in it.

micropython up_start.py IMAGE ...
"""

import os
import sys

import vfs

image = bytearray(os.stat(sys.argv[1])[6])  # noqa: PTH116 - as MicroPython reads
with open(sys.argv[1], "rb") as file:  # noqa: PTH123 - as MicroPython reads
    file.readinto(image)
vfs.mount(vfs.VfsRom(image), "/rom")
sys.path.insert(0, "/rom")

import up_host  # noqa: E402, F401 - it is found only now
