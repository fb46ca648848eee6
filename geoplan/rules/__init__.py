"""The rules that judge: size, pieces, nearest, figure, state, and questions for a person."""
