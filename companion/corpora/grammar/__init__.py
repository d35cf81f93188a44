"""The grammar of `companion.corpora.pairs`: English and German, built from one plan.

Words and their forms, then verbs, phrases, predicates, clauses and sentences, each on the one before.
"""
