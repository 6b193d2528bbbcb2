"""The public XGBoost container's names, as scripts import them
(https://github.com/aws/sagemaker-xgboost-container)."""
