"""TensorFlow's images: scripts in a cluster's terms, and SavedModels served by TensorFlow Serving's REST API."""
