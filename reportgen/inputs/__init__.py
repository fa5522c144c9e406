"""Reads and checks what the training job left: model file, history, batch, labels. Nothing heavy, nothing runs."""
