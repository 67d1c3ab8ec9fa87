"""Charts beside the Shewhart family: EWMA, CUSUM, Pareto, and funnel plots."""
