"""Answers as they came, the manners of asking, and the tables derived again."""
