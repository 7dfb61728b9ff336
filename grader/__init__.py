"""Grade notebooks of numerical machine learning."""
