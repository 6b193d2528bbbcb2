"""LightGBM and CatBoost as AWS's JumpStart models run them: scripts in script mode, `transfer_learning.py` and
`inference.py`, whose work is done here (https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm.html).

`hyperparameters` imports neither library, so that JumpStart's specs can be made from it.
"""
