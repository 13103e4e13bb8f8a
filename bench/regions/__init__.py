"""How well tattoos are placed on the body: rendered people of whom everything is known."""
