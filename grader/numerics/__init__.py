"""numerics: the mathematics that planning and judging share. No I/O, no clock, nothing of a course.

arrays              which values are numbers, how precisely they are rounded, how far two are apart
compare, freedom    structure, shape, finiteness, values; what the mathematics leaves free
near_miss           wrong arrays that are one simple step away from the right one
residual            how far the results of a function are from a prediction
finite_difference, numeric_gradient, differentiate    derivatives with an estimate of their error
conditioning        what rounding the input does to a result
in_words            what a value is, and where two differ
"""
