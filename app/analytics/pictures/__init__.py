"""One SPC document as a table, a Vega-Lite chart, an SVG or a PNG; many as one sheet."""
