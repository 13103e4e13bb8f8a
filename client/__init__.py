"""Python client library and the `marquee` command."""
