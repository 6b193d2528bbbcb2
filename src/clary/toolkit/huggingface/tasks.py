"""Which task a model is for: `HF_TASK`, or what the architecture in its config.json is made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Mapping

_OF_ARCHITECTURE: Mapping[str, str] = {
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForTokenClassification": "token-classification",
    "ForSequenceClassification": "text-classification",
    "ForMultipleChoice": "multiple-choice",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForAudioClassification": "audio-classification",
    "ForSpeechSeq2Seq": "automatic-speech-recognition",
    "ForCTC": "automatic-speech-recognition",
    "MTModel": "text2text-generation",
    "EncoderDecoderModel": "text2text-generation",
    "GPT2LMHeadModel": "text-generation",
    "T5WithLMHeadModel": "text2text-generation",
}
"""How an architecture's name ends → its task; the first that fits counts."""


def task_of(folder: Path, environ: Mapping[str, str]) -> str:
    """The pipeline's task. Raises ValueError, which says what to set, where nothing tells it."""
    if environ.get("HF_TASK"):
        return environ["HF_TASK"]
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"No config.json lies in {folder}: model.tar.gz has to hold at its root what `save_pretrained` wrote,"
            " or code/inference.py with a model_fn. Otherwise you need to define the task as env 'HF_TASK'."
        ) from None
    architecture = str(next(iter(config.get("architectures") or []), ""))
    for ending, task in _OF_ARCHITECTURE.items():
        if architecture.endswith(ending):
            return task
    raise ValueError(
        f"Task couldn't be inferenced from {architecture}. Inference Toolkit can only inference tasks from"
        f" architectures ending with {list(_OF_ARCHITECTURE)}. Use env `HF_TASK` to define your task."
    )
