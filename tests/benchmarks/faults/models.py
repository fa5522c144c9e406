"""Small models of six kinds, built from a recipe. Keras is imported by the functions that need it."""

from __future__ import annotations

from typing import Any

from faults.recipe import Recipe

LAYOUTS = {
    "mlp": "flat",
    "cnn": "image",
    "residual": "image",
    "recurrent": "rows",
    "attention": "rows",
    "autoencoder": "flat",
}
# Name in a recipe -> class in keras.initializers and its arguments.
INITIALIZERS: dict[str, tuple[str, dict[str, float]]] = {
    "tiny": ("RandomNormal", {"stddev": 0.01}),
    "small": ("RandomNormal", {"stddev": 0.05}),
    "large": ("RandomNormal", {"stddev": 1.0}),
    "huge": ("RandomNormal", {"stddev": 3.0}),
    "zeros": ("Zeros", {}),
    "ones": ("Ones", {}),
    "tenth": ("Constant", {"value": 0.1}),
    "he": ("HeNormal", {}),
    "uniform": ("RandomUniform", {"minval": -2.0, "maxval": 2.0}),
}


class Builder:
    """Adds layers as the recipe says; counts hidden layers, so that faults hit the one they name."""

    def __init__(self, recipe: Recipe) -> None:
        """Start with no layer."""
        import keras

        self.recipe, self.layers, self.keras = recipe, keras.layers, keras
        self.hidden = 0

    def settings(self, *, head: bool = False) -> dict[str, Any]:
        """Return initializers and regularizers of the next hidden layer."""
        recipe, found = self.recipe, {}
        first, middle = self.hidden == 0, self.hidden == max(1, recipe.depth // 2)
        here = {"all": True, "first": first, "middle": middle, "head": head, "hidden": not head}
        if recipe.init and here[recipe.init_layers]:
            name, arguments = INITIALIZERS[recipe.init]
            found["kernel_initializer"] = getattr(self.keras.initializers, name)(**arguments)
        if recipe.bias and here[recipe.bias_layers]:
            found["bias_initializer"] = self.keras.initializers.Constant(recipe.bias)
        if recipe.l2:
            found["kernel_regularizer"] = self.keras.regularizers.L2(recipe.l2)
        if recipe.activity and not head:
            found["activity_regularizer"] = self.keras.regularizers.L1(recipe.activity)
        return found

    def activation(self, *, head: bool = False) -> str:
        """Return the activation of the next hidden layer."""
        recipe = self.recipe
        linear = {"": False, "first": self.hidden == 0, "head": head, "all": True}[recipe.linear]
        return "linear" if linear else recipe.activation

    def hide(self, x: Any, make: str, *arguments: Any, head: bool = False, **more: Any) -> Any:
        """Add a hidden layer with what the recipe puts behind it."""
        recipe = self.recipe
        settings = {**self.settings(head=head), **more}
        activation = self.activation(head=head)
        if recipe.norm == "batch":
            x = getattr(self.layers, make)(*arguments, name=f"hidden_{self.hidden}", **settings)(x)
            x = self.layers.BatchNormalization(momentum=recipe.momentum)(x)
            x = self.layers.Activation(activation)(x)
        else:
            x = getattr(self.layers, make)(*arguments, activation=activation, name=f"hidden_{self.hidden}", **settings)(
                x
            )
        if recipe.dropout:
            x = self.layers.Dropout(recipe.dropout)(x)
        self.hidden += 1
        if recipe.stop_gradient and self.hidden == max(1, recipe.depth // 2):
            x = self.keras.ops.stop_gradient(x)
        return x

    def front(self, x: Any, train: Any) -> Any:
        """Add what stands before the first hidden layer."""
        if self.recipe.front == "rescaling":
            x = self.layers.Rescaling(1 / 255)(x)
        elif self.recipe.front == "normalization":
            layer = self.layers.Normalization()
            layer.adapt(train)
            x = layer(x)
        elif self.recipe.front == "batch":
            x = self.layers.BatchNormalization()(x)
        if self.recipe.noise:
            x = self.layers.GaussianNoise(self.recipe.noise)(x)
        return x


def build_model(recipe: Recipe, train: Any, task: str, classes: int) -> Any:
    """Return the model of a recipe, not compiled."""
    import keras

    builder = Builder(recipe)
    inputs = keras.Input(train.shape[1:])
    x = builder.front(inputs, train)
    x = BODIES[recipe.kind](builder, x)
    if recipe.head:
        x = builder.hide(x, "Dense", recipe.head, head=True)
    x = _last(builder, x, train, task, classes)
    model = keras.Model(inputs, x)
    _freeze(model, recipe)
    return model


def _mlp(builder: Builder, x: Any) -> Any:
    """Stack dense layers."""
    for _ in range(builder.recipe.depth):
        x = builder.hide(x, "Dense", builder.recipe.width)
    return x


def _cnn(builder: Builder, x: Any) -> Any:
    """Stack convolutions, pooling after the first two."""
    for place in range(builder.recipe.depth):
        x = builder.hide(x, "Conv2D", builder.recipe.width, 3, padding="same")
        if place < 2:
            x = builder.layers.MaxPooling2D()(x)
    return builder.layers.Flatten()(x)


def _residual(builder: Builder, x: Any) -> Any:
    """Stack blocks of two convolutions around a shortcut."""
    recipe, layers = builder.recipe, builder.layers
    x = builder.hide(x, "Conv2D", recipe.width, 3, padding="same")
    x = layers.MaxPooling2D()(x)
    for _ in range(recipe.depth):
        before = x
        x = builder.hide(x, "Conv2D", recipe.width, 3, padding="same")
        x = builder.hide(x, "Conv2D", recipe.width, 3, padding="same")
        if recipe.shortcut:
            x = layers.Add()([before, x])
    return layers.GlobalAveragePooling2D()(x)


def _recurrent(builder: Builder, x: Any) -> Any:
    """Stack recurrent layers over the rows."""
    recipe, layers = builder.recipe, builder.layers
    for place in range(recipe.depth):
        last = place == recipe.depth - 1
        settings = {k: v for k, v in builder.settings().items() if k != "activity_regularizer"}
        if recipe.cell == "SimpleRNN" and recipe.activation != "relu":
            settings["activation"] = recipe.activation
        cell = getattr(layers, recipe.cell)
        x = cell(recipe.width, return_sequences=not last, name=f"hidden_{builder.hidden}", **settings)(x)
        builder.hidden += 1
        if recipe.dropout:
            x = layers.Dropout(recipe.dropout)(x)
        if recipe.stop_gradient and place == max(0, recipe.depth // 2 - 1):
            x = builder.keras.ops.stop_gradient(x)
    return x


def _attention(builder: Builder, x: Any) -> Any:
    """Stack encoder blocks: attention, then two dense layers, each around a shortcut and normalised."""
    recipe, layers = builder.recipe, builder.layers
    x = layers.Dense(recipe.width, name="embed")(x)
    for place in range(recipe.depth):
        looked = layers.MultiHeadAttention(2, recipe.width // 2, name=f"attention_{place}")(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, looked])) if recipe.shortcut else looked
        before = x
        x = builder.hide(x, "Dense", 2 * recipe.width)
        x = layers.Dense(recipe.width, name=f"back_{place}")(x)
        x = layers.LayerNormalization()(layers.Add()([before, x])) if recipe.shortcut else x
    return layers.GlobalAveragePooling1D()(x)


def _autoencoder(builder: Builder, x: Any) -> Any:
    """Narrow to a code of few numbers and widen again."""
    recipe = builder.recipe
    for _ in range(recipe.depth):
        x = builder.hide(x, "Dense", recipe.width)
    x = builder.hide(x, "Dense", recipe.code)
    for _ in range(max(0, recipe.depth - 1)):
        x = builder.hide(x, "Dense", recipe.width)
    return x


BODIES = {
    "mlp": _mlp,
    "cnn": _cnn,
    "residual": _residual,
    "recurrent": _recurrent,
    "attention": _attention,
    "autoencoder": _autoencoder,
}


def _last(builder: Builder, x: Any, train: Any, task: str, classes: int) -> Any:
    """Add the output layer; `last` overrides what the task asks for."""
    recipe, layers = builder.recipe, builder.layers
    units = {"multiclass": classes, "binary": 1, "regression": 1, "reconstruction": int(train.shape[-1])}[task]
    usual = {"multiclass": "softmax", "binary": "sigmoid", "regression": "linear", "reconstruction": "sigmoid"}[task]
    if task == "reconstruction" and recipe.data == "cancer-copy":
        usual = "linear"
    wanted = recipe.last or ("linear" if recipe.logits else usual)
    settings = builder.settings() if recipe.init_layers == "all" and recipe.init else {}
    if wanted.endswith("-1"):
        return layers.Dense(1, activation=wanted[:-2], name="output", **settings)(x)
    if wanted.endswith("-layer"):  # an activation as a layer of its own
        x = layers.Dense(units, name="scores", **settings)(x)
        return layers.Softmax()(x) if wanted == "softmax-layer" else layers.Activation(wanted[:-6])(x)
    return layers.Dense(units, activation=wanted, name="output", **settings)(x)


def _freeze(model: Any, recipe: Recipe) -> None:
    """Freeze the layers that the recipe names: "first", "middle", "body" (all but the last), "all"."""
    if not recipe.frozen:
        return
    layers = [layer for layer in model.layers if layer.weights and "normalization" not in layer.name]
    chosen = {
        "first": layers[:1],
        "middle": layers[len(layers) // 2 : len(layers) // 2 + 1],
        "body": layers[:-1],
        "head": layers[-2:-1],
        "all": layers,
    }
    for layer in chosen[recipe.frozen]:
        layer.trainable = False
