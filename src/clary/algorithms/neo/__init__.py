"""Models compiled to ONNX, and what serves them (docs/decisions/0045-models-compiled-to-onnx.md)."""
