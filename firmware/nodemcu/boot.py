"""First program of the board: quiet, and without the access point that MicroPython opens by itself."""

import esp
import network

esp.osdebug(None)  # what the SDK prints would go to the UNO
network.WLAN(network.AP_IF).active(False)  # its password is the same on every board
