"""Evaluation of a data set: distances to real images, downstream classifiers, near duplicates.

    image_sets -> features -> metrics ------------------.
         '-> examples -> classifier -> downstream -------+-> evaluate -> report

Callers use `evaluate.evaluate`; `reference` finds or renders the real images to compare with.
"""
