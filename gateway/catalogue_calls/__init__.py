"""CatalogueService by theme: translation only."""
