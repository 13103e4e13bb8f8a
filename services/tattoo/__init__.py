"""The tattoo signal: finds tattoos in a picture, describes them, and knows whose they are."""
