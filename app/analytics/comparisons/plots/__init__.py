"""Pictures and tables of EWMA, CUSUM and Pareto charts and of funnel plots."""
