"""The only room that imports Keras. `launch` and `plan` are the parent's side and import nothing heavy."""
