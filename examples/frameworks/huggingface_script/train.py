"""Fine-tunes the model of the channel `model` on film reviews, without any network."""

import argparse
import os

import pandas as pd
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--learning_rate", type=float, default=5e-4)
given, _ = parser.parse_known_args()


class Reviews(torch.utils.data.Dataset):
    """Tokens and labels."""

    def __init__(self, table, tokenizer):
        self.tokens = tokenizer(table["review"].tolist(), truncation=True, padding="max_length", max_length=128)
        self.labels = table["good"].tolist()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, place):
        item = {name: torch.tensor(values[place]) for name, values in self.tokens.items()}
        return {**item, "labels": torch.tensor(self.labels[place])}


torch.manual_seed(0)
torch.set_num_threads(1)  # for so small a model a second thread costs more than it brings
folder = os.environ["SM_CHANNEL_MODEL"]
tokenizer = AutoTokenizer.from_pretrained(folder)
if any(name.endswith((".bin", ".safetensors")) for name in os.listdir(folder)):
    model = AutoModelForSequenceClassification.from_pretrained(folder)
else:  # a configuration alone: the weights begin at random
    model = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(folder))

trainer = Trainer(
    model=model,
    args=TrainingArguments(
        output_dir="/tmp/checkpoints",
        num_train_epochs=given.epochs,
        learning_rate=given.learning_rate,
        per_device_train_batch_size=16,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    ),
    train_dataset=Reviews(pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv")), tokenizer),
)
print(f"train_loss: {trainer.train().training_loss:.3f}")
trainer.save_model(os.environ["SM_MODEL_DIR"])
tokenizer.save_pretrained(os.environ["SM_MODEL_DIR"])
