"""Keras saves verbs with a model, and gets the same objects back."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

import fastact as fa
from fastact.compat import keras as compat
from fastact.compat import register_with_keras

KINDS = ("grad", "backward", "backward_from_output", "value_and_grad")


@pytest.mark.parametrize("name", fa.names())
def test_the_configuration_gives_the_same_verb(name):
    activation = fa.get(name)
    for verb in (activation, *(getattr(activation, kind) for kind in KINDS)):
        config = json.loads(json.dumps(verb.get_config()))
        assert type(verb).from_config(config) is verb
    bound = activation.bound_to("numpy", None)
    assert type(bound).from_config(bound.get_config()).backend == "numpy"


@pytest.mark.parametrize("function", compat.LIBRARY.functions, ids=repr)
def test_the_configuration_gives_the_same_function(function):
    for verb in (function, function.grad, function.backward):
        assert type(verb).from_config(json.loads(json.dumps(verb.get_config()))) is verb


def test_all_classes_are_registered(monkeypatch):
    """A stand-in for Keras tells under which names its files will have them."""
    registered = {}
    saving = SimpleNamespace(
        register_keras_serializable=lambda package, name: (
            lambda cls: registered.update({f"{package}>{name}": cls})
        )
    )
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(saving=saving))
    register_with_keras()
    verbs = [verb for name in fa.names() for verb in (fa.get(name), fa.get(name).grad)]
    for verb in (*verbs, *compat.LIBRARY.functions, compat.relu.grad):
        assert type(verb) in registered.values()
    assert all(name.startswith("fastact>") for name in registered)
    assert len(set(registered.values())) == len(registered)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # from Keras itself
def test_keras_loads_what_it_saved(tmp_path):
    keras = pytest.importorskip("keras")
    register_with_keras()
    activations = [fa.gelu, fa.rrelu, fa.gelu.grad, compat.leaky_relu]
    layers = [keras.layers.Dense(4, activation=activation) for activation in activations]
    keras.Sequential([keras.Input((3,)), *layers]).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [layer.activation for layer in loaded.layers] == activations
