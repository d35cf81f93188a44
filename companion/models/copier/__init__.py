"""The copier: does attention in buckets find what is exactly half a sequence away?"""
