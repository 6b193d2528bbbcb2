"""The bucket of JumpStart, `jumpstart-cache-prod-<region>`: what the SDKs read of LightGBM and CatBoost, made here.

`bucket` publishes it, `names` says what it is called, `specs` says what the SDKs are told; `archives` and `samples`
hold scripts, models and data.
"""
