"""The PDSA cycles that stand behind a phase or an annotation of a measure."""
