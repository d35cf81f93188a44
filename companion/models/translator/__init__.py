"""The translator: a Transformer that turns English sentences into German ones."""
