"""NumPy in, numbers out. Imports NumPy only, so that it also runs in another environment's interpreter."""
