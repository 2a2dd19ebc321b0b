"""The judgement of a data set: distances to real images, what it teaches a classifier, copies.

    folders -> contents -> features -> distances, neighbours --.
         '-> examples -> classifier -> classification ---------+-> document -> report

`evaluation` asks the question and composes the answer; `places` finds what it is about.
"""
