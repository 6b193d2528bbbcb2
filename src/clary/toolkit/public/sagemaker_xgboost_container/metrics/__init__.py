"""`sagemaker_xgboost_container.metrics`."""
