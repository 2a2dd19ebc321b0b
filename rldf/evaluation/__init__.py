"""Evaluation of a data set: distances to real images, downstream classifiers, near duplicates.

    image_sets -> features -> metrics ------------------.
         '-> examples -> classifier -> downstream -------+-> evaluate -> report

`evaluate.evaluate` is the way in; `reference` finds the images to compare with.
"""
