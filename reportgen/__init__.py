"""reportgen: one self-contained HTML report from what a Keras training job left behind."""

__version__ = "0.1.0"
