"""Published series: 30 points in sigmas of 1, of which the last ten come from a mean 1 higher.

Montgomery, Introduction to Statistical Quality Control, table 9.1 of the 6th and 7th editions.
"""

POINTS = [
    *(9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34),
    *(9.03, 11.47, 10.51, 9.40, 10.08, 9.37, 10.62, 10.31, 8.52, 10.84),
    *(10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52),
]
