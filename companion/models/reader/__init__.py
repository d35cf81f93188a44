"""A reader of dialogues: it finds the answer to a question in the text, or says that there is none."""
