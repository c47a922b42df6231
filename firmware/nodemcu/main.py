"""Second program of the board: starts the gateway. The files are in the root folder."""

import loader

loader.main("")
