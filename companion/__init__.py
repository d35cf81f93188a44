"""The package behind the companion: mathematics, text, trained models, and widgets.

`attention`, `winograd`, …  mathematics, one concept a file (torch, no input or output)
`corpora`                   text: generators of our own, readers of real data sets
`models`                    what is trained: the recipe of each model
`widgets`                   what is seen: Python beside the JavaScript that draws it
`exercises`                 checks of a reader's own functions, with hints
`site`                      the Sphinx extension that makes the built book self-contained
"""
