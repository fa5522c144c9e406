"""The Report: pure, versioned, JSON-serialisable data plus binary assets."""
