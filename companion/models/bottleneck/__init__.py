"""Two translators that are equal but for attention: what does one vector hold of a long sentence?"""
