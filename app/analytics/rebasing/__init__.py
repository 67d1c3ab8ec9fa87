"""Where a new phase may be due: computed proposals, and what people decide about them."""
