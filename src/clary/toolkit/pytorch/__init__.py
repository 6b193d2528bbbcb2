"""Inside PyTorch's images: training, alone or by torchrun, and serving."""
