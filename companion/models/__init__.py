"""What is trained: the recipe of each model."""
