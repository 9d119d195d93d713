"""From a folder of pictures to an int8 model that can be trusted: recipes, training, export, evaluation.

Needs the extra ``train`` (Keras 3 on TensorFlow) where a network is trained or explained; recipes, evaluation of an
exported model, and reports do not. Nothing that the rig needs imports this.
"""
