"""Whether the work shows: attainment of aims, and the charts of a whole programme in lines."""
