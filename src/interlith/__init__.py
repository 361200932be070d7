"""interlith: where does the lithium go, and what would bring it back?

    from interlith.cycling import read, analyze
    findings = analyze(read("cell-07.ndax"), area_cm2=1.13)

Nothing is imported here, so that `import interlith` costs nothing.
"""

__version__ = "0.1.0"
