"""A small BERT, pretrained on dialogues: what it learns from, how, and what it is asked."""
