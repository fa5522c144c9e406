"""The least that any script pays: import Keras, load the model, one predict. Usage: floor.py MODEL TEST_NPZ."""

import sys

import keras
import numpy as np

model = keras.models.load_model(sys.argv[1])
with np.load(sys.argv[2]) as data:
    print(model.predict(data["x_test"], verbose=0).shape)
