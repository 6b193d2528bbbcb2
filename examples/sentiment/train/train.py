import argparse
import json
import os
import shutil

import pandas as pd
import torch
import torch.utils.data
from model import LSTMClassifier
from torch import nn


def loader(folder, batch_size):
    """Rows of `label, length, words…`."""
    table = torch.tensor(pd.read_csv(os.path.join(folder, "train.csv"), header=None).values)
    rows = torch.utils.data.TensorDataset(table[:, 2:], table[:, 1], table[:, 0].float())
    return torch.utils.data.DataLoader(rows, batch_size=batch_size, shuffle=True)


def train(model, batches, epochs, rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for reviews, lengths, labels in batches:
            optimizer.zero_grad()
            loss = loss_fn(model(reviews, lengths), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        print("Epoch: {}, BCELoss: {:.4f}".format(epoch, total / len(batches)), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=0.005)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--embedding_dim", type=int, default=32)
    parser.add_argument("--hidden_dim", type=int, default=32)
    parser.add_argument("--vocab_size", type=int, default=3000)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--data-dir", default=os.environ["SM_CHANNEL_TRAINING"])
    given = parser.parse_args()

    print("torch", torch.__version__, flush=True)
    torch.manual_seed(given.seed)
    shape = {name: getattr(given, name) for name in ("embedding_dim", "hidden_dim", "vocab_size")}
    model = LSTMClassifier(**shape)
    train(model, loader(given.data_dir, given.batch_size), given.epochs, given.rate)

    with open(os.path.join(given.model_dir, "shape.json"), "w") as file:
        json.dump(shape, file)
    shutil.copy(os.path.join(given.data_dir, "words.json"), given.model_dir)
    torch.save(model.state_dict(), os.path.join(given.model_dir, "model.pth"))


if __name__ == "__main__":
    main()
