"""tradelog as a desk uses it, for minutes, while its processes are killed: bin/soak.

Begin with __main__.py. What must come out is kept beside the product, in model.py.
"""
