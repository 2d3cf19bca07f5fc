"""Drafts a model's file from what its checkpoint's files say, without loading the weights."""
