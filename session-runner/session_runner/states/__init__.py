"""The vocabulary of states and how the page's facts map to it. Pure; the operator imports the vocabulary."""
