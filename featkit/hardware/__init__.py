"""What the computer has: devices, cores and memory. Its modules import torch."""
