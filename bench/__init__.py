"""How fast imports are, beside what the database could do and beside django-import-export.

Begin with bench/measuring.py, which says what is measured in which order. bin/bench starts it.
"""
