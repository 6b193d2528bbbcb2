"""Built-in Linear Learner (https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html).

Read `training` first: a job is scaled data (`scaling`), a grid
of candidate models (`candidates`) that learn side by side (`learner`, `losses`, `optimizers`), and the choice of one
of them (`selection`).
"""
