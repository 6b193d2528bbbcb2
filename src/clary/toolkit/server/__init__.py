"""The model server: HTTP beside the model, which has the main thread to itself."""
