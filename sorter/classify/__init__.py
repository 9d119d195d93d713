"""What a part is: the int8 network, its card, several views into one posterior, and the decision."""

from sorter.classify.card import ModelCard, read_card
from sorter.classify.decide import DecisionRules, decide, next_angle
from sorter.classify.errors import ModelRefused, RuntimeMissing
from sorter.classify.fuse import Correlation, evidence_weights, fuse, most_helpful_angle
from sorter.classify.model import Model, load_model

__all__ = [
    "Correlation",
    "DecisionRules",
    "Model",
    "ModelCard",
    "ModelRefused",
    "RuntimeMissing",
    "decide",
    "evidence_weights",
    "fuse",
    "load_model",
    "most_helpful_angle",
    "next_angle",
    "read_card",
]
