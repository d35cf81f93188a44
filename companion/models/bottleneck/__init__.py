"""Three translators that are equal but for what the decoder is handed: what does one vector hold?"""
