"""What the computer has: devices, cores and memory. Most of its modules import torch."""
