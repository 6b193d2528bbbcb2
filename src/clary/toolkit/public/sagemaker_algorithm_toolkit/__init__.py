"""The names of the toolkit below the public XGBoost container
(https://github.com/aws/sagemaker-xgboost-container)."""
