"""What lithium does in a cell, one mechanism a file: its equation, its paper, its switch.

Everything here is SI and per geometric area: C/m2, A/m2, V, s. Functions are small, compiled, and free of state.
"""
