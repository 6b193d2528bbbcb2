"""Built-in XGBoost (https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html), and XGBoost script mode.

`train` and `serve` are the container's two programs; their argument is the image's version (`1.7-1`), which decides
what the answers look like.
"""
