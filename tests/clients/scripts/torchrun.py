"""SDK 3's ModelTrainer with PyTorch's image: its own torchrun driver, over two hosts."""

import os
import tempfile

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.train.configs import Compute, SourceCode
from sagemaker.train.distributed import Torchrun
from sagemaker.train.model_trainer import ModelTrainer

TRAIN = """
import torch
import torch.distributed as dist

dist.init_process_group("gloo")
total = torch.ones(1)
dist.all_reduce(total)
print(f"rank {dist.get_rank()} of {dist.get_world_size()}: sum {total.item():.0f}", flush=True)
dist.destroy_process_group()
"""

with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "train.py"), "w") as file:
        file.write(TRAIN)
    trainer = ModelTrainer(
        training_image=image_uris.retrieve(
            "pytorch",
            "us-east-1",
            version="2.6.0",
            py_version="py312",
            instance_type="ml.m5.large",
            image_scope="training",
        ),
        source_code=SourceCode(source_dir=folder, entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=2),
        distributed=Torchrun(process_count_per_node=2),
        base_job_name="torchrun",
        sagemaker_session=Session(),
    )
    trainer.train(logs=False)
    print("job:", trainer._latest_training_job.training_job_name)
