"""HTTP's own rules: who may pass which door, how things are read, refused and paged."""
