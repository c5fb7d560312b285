"""Ways in and out. They decide nothing: they parse, ask an action or a query, and show the answer."""
