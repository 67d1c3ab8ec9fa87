"""The Barnet demonstration: fictional people, synthetic data, made by the API's own actions."""
