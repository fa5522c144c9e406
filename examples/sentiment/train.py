"""Train a small recurrent network to tell positive from negative sentences of movie reviews.

The 10,605 sentences (Rotten Tomatoes, rated by 20 people each) come with the source archive of vaderSentiment 3.3.2
(MIT licence, C.J. Hutto and E. Gilbert, 2014). Fetch it, then train:

    python -m pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python train.py vaderSentiment-3.3.2.tar.gz

The model takes the sentences as strings: its vocabulary is a layer. Writes model.keras, history.json and test.npz.
"""

import io
import json
import sys
import tarfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

HERE = Path(__file__).resolve().parent
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
MEMBER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"


def load_sentences(archive: str) -> tuple[list[str], np.ndarray, list[str]]:
    """Return sentences, labels (1 positive) and ids; sentences rated near neutral are left out."""
    with tarfile.open(archive) as outer:
        inner = io.BytesIO(outer.extractfile(INNER).read())
    with tarfile.open(fileobj=inner) as nested:
        lines = nested.extractfile(MEMBER).read().decode("utf-8", "replace").splitlines()
    rows = [line.split("\t", 2) for line in lines if line.count("\t") >= 2]
    rows = [(key, float(score), text) for key, score, text in rows if abs(float(score)) >= 0.5]
    labels = np.array([score > 0 for _, score, _ in rows], "int64")
    return [text for _, _, text in rows], labels, [key for key, _, _ in rows]


def main(archive: str) -> None:
    keras.utils.set_random_seed(7)
    texts, labels, keys = load_sentences(archive)
    order = np.random.default_rng(7).permutation(len(texts))
    test, train = order[:600], order[600:]
    x = np.array(texts)
    tokens = keras.layers.TextVectorization(4000, output_sequence_length=40, name="tokens")
    tokens.adapt(tf.constant(x[train]))
    inputs = keras.Input((), dtype="string", name="sentence")
    hidden = keras.layers.Embedding(4000, 16, name="embedding")(tokens(inputs))
    hidden = keras.layers.SpatialDropout1D(0.3, seed=7, name="dropout")(hidden)
    hidden = keras.layers.Bidirectional(keras.layers.GRU(12, name="gru"), name="both_ways")(hidden)
    outputs = keras.layers.Dense(1, activation="sigmoid", name="positive")(hidden)
    model = keras.Model(inputs, outputs, name="sentiment")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    data = tf.data.Dataset.from_tensor_slices((x[train], labels[train])).batch(64).cache()
    cut = len(train) // 64 // 8
    history = model.fit(data.skip(cut), validation_data=data.take(cut), epochs=5, verbose=2)
    model.save(HERE / "model.keras")
    (HERE / "history.json").write_text(json.dumps(history.history, indent=1) + "\n")
    np.savez_compressed(
        HERE / "test.npz",
        x_test=x[test],
        y_test=labels[test],
        ids=np.array([f"snippet-{keys[row]}" for row in test]),
    )


if __name__ == "__main__":
    main(sys.argv[1])
