"""What fills a slot: one module per slot. Knows no channel; imports heavy packages only inside constructors."""

import os

# Threads that spin while they wait make a small model many times slower as soon as anything else runs on the machine.
# This must be said before torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
