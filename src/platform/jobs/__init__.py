"""Background work; the only package that imports arq."""
