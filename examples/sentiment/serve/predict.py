import json
import os

import torch
from model import LSTMClassifier
from words import numbers

LENGTH = 300


def model_fn(model_dir):
    with open(os.path.join(model_dir, "shape.json")) as file:
        model = LSTMClassifier(**json.load(file))
    model.load_state_dict(torch.load(os.path.join(model_dir, "model.pth")))
    with open(os.path.join(model_dir, "words.json")) as file:
        model.known = json.load(file)
    return model.eval()


def input_fn(serialized_input_data, content_type):
    if content_type == "text/plain":
        return serialized_input_data.decode("utf-8")
    raise ValueError("Requested unsupported ContentType in content_type: " + content_type)


def predict_fn(input_data, model):
    review, length = numbers(input_data, model.known, LENGTH)
    with torch.no_grad():
        return int(model(torch.tensor([review]), torch.tensor([length])).item() > 0)


def output_fn(prediction_output, accept):
    return str(prediction_output)
